// SPDX-License-Identifier: Apache-2.0
// A convolution in groups as a sum of depthwise ones, its terms. Each lane is a channel of the result; term t
// reads channel t of the lane's group, so the channels of the source are spread: some are left out, some
// repeated. With one channel on both sides of a group source and result have the same lanes, and nothing is
// copied.
#pragma once

#include <cstdint>

#include "ops/conv2d.h"

namespace receptive::ops {

// Lanes [first, first + count).
struct LaneBlock {
  std::int64_t first, count;
};

// Part of an image.
struct Region {
  std::int64_t image, row, rows, column, columns;
};

// A region as a depthwise kernel reads it: its first pixel, and the floats from row to row and from pixel to
// pixel.
struct SpreadPixels {
  const float* data;
  std::int64_t row, pixel;
};

struct Spread {
  std::int64_t terms;         // channels of the source in a group
  std::int64_t lanes, group;  // channels of the result, in all and in a group
  const float* source;        // [batch][height][width][lanes / group * terms]
  std::int64_t height, width;

  bool is_identity() const { return terms == 1 && group == 1; }
  std::int64_t channels() const { return lanes / group * terms; }
  // Lanes of a strip: a strip of 128 pixels then takes 32 KiB a row.
  std::int64_t block_lanes() const { return is_identity() || lanes < kBlockLanes ? lanes : kBlockLanes; }
  // Where a term's weight of a lane stands in [outC][kH][kW][inC / groups]: the sum of these steps.
  struct WeightSteps {
    std::int64_t group, lane, tap, term;  // of a lane: within its group
  };
  WeightSteps weight;

  // to [term][tap][lanes] from the weight, and the weight from it.
  void pack(float* to, const float* from, std::int64_t taps) const;
  void unpack(float* to, const float* from, std::int64_t taps) const;
  // The region in place, or as a strip in the calling task's workspace (Slot::kTaskPanel).
  SpreadPixels pixels(std::int64_t term, const Region& region, const LaneBlock& block) const;

  static constexpr std::int64_t kBlockLanes = 64;

 private:
  template <typename Body>
  void for_each_weight(std::int64_t taps, const Body& body) const;
};

// The spread of x for forward and grad_weight, and of dy for grad_input.
Spread spread_input(const float* x, const Conv2dGeometry& geometry);
Spread spread_output(const float* dy, const Conv2dGeometry& geometry);

// How the pixels of a result are cut: by rows, and where rows are long by columns too. By shape alone.
struct PixelCut {
  std::int64_t rows, columns;  // of a task
  // `work`: multiply-adds of a pixel in all lanes of a block; `unit`: what columns are a multiple of.
  PixelCut(std::int64_t height, std::int64_t width, std::int64_t unit, std::int64_t work, bool is_strip);
};

}  // namespace receptive::ops
