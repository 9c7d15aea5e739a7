// SPDX-License-Identifier: Apache-2.0
#include "ops/depthwise_spread.h"

#include <algorithm>

#include "kernels/select.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kTaskWork = 1 << 19;     // multiply-adds of a task, about 10 µs
constexpr std::int64_t kStripColumns = 128;     // 64 lanes of them take 32 KiB
constexpr std::int64_t kStripPixels = 8 * 128;  // and a task's strips 256 KiB

}  // namespace

template <typename Body>
void Spread::for_each_weight(std::int64_t taps, const Body& body) const {
  // Lanes of one channel a group count as one group of them all.
  const std::int64_t count = group == 1 ? lanes : group, step = group == 1 ? weight.group : weight.lane;
  parallel_for(terms, [&](std::int64_t term) {
    std::int64_t packed = term * taps * lanes;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      for (std::int64_t first = 0; first < lanes; first += count) {
        const std::int64_t from = first / count * weight.group + tap * weight.tap + term * weight.term;
        for (std::int64_t i = 0; i < count; ++i) body(packed++, from + i * step);
      }
    }
  });
}

void Spread::pack(float* to, const float* from, std::int64_t taps) const {
  for_each_weight(taps, [=](std::int64_t packed, std::int64_t plain) { to[packed] = from[plain]; });
}

void Spread::unpack(float* to, const float* from, std::int64_t taps) const {
  for_each_weight(taps, [=](std::int64_t packed, std::int64_t plain) { to[plain] = from[packed]; });
}

SpreadPixels Spread::pixels(std::int64_t term, const Region& region, const LaneBlock& block) const {
  const std::int64_t step = channels();
  const float* from = source + ((region.image * height + region.row) * width + region.column) * step;
  if (is_identity()) return {from + block.first, width * step, step};
  std::int32_t picked[kBlockLanes];
  for (std::int64_t l = 0; l < block.count; ++l)
    picked[l] = static_cast<std::int32_t>((block.first + l) / group * terms + term);
  const std::int64_t row = region.columns * block.count;
  float* strip = workspace<float>(Slot::kTaskPanel, region.rows * row);
  for (std::int64_t r = 0; r < region.rows; ++r) {
    kernels().depthwise->spread(strip + r * row, block.count, from + r * width * step, step, region.columns,
                                picked, block.count);
  }
  return {strip, row, block.count};
}

Spread spread_input(const float* x, const Conv2dGeometry& g) {
  const std::int64_t patch = g.patch();
  return {g.group_in(),
          g.out_c,
          g.group_out(),
          x,
          g.in_h,
          g.in_w,
          {g.group_out() * patch, patch, g.group_in(), 1}};
}

Spread spread_output(const float* dy, const Conv2dGeometry& g) {
  const std::int64_t patch = g.patch();
  return {g.group_out(),
          g.in_c,
          g.group_in(),
          dy,
          g.out_h,
          g.out_w,
          {g.group_out() * patch, 1, g.group_in(), patch}};
}

PixelCut::PixelCut(std::int64_t height, std::int64_t width, std::int64_t unit, std::int64_t work,
                   bool is_strip) {
  const std::int64_t most = is_strip ? kStripColumns : std::max<std::int64_t>(1, kTaskWork / work);
  columns = std::min(width, (most + unit - 1) / unit * unit);
  rows = std::max<std::int64_t>(1, kTaskWork / (columns * work));
  if (is_strip) rows = std::min(rows, std::max<std::int64_t>(1, kStripPixels / columns));
  rows = std::min(rows, height);
}

}  // namespace receptive::ops
