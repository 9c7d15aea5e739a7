// SPDX-License-Identifier: Apache-2.0
// Batch-interleaved images: [block][y][x][c][kLanes], kLanes images a block; the last block is filled with
// zeros. What works on pixels and channels one by one (pooling, activations) sees images of c * kLanes
// channels.
#pragma once

#include "kernels/interleaved_kernels.h"

namespace receptive::ops {

inline std::int64_t blocks_of(std::int64_t batch) { return (batch + kLanes - 1) / kLanes; }
// Floats that `batch` images of `elements` take interleaved.
inline std::int64_t interleaved_size(std::int64_t batch, std::int64_t elements) {
  return blocks_of(batch) * kLanes * elements;
}

// to [blocks][elements][kLanes] from [batch][elements], and back.
void interleave(float* to, const float* from, std::int64_t batch, std::int64_t elements);
void deinterleave(float* to, const float* from, std::int64_t batch, std::int64_t elements);

// One block of bytes: image i's go to to + i * image_step.
void deinterleave_bytes(std::uint8_t* to, const std::uint8_t* from, std::int64_t image_step,
                        std::int64_t elements);

}  // namespace receptive::ops
