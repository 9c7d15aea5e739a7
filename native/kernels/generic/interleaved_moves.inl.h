// SPDX-License-Identifier: Apache-2.0
// Between images one after another and images side by side in the lanes, and sums over both. Include after a
// vec.h.
#pragma once

#include "kernels/interleaved_kernels.h"

namespace receptive {
namespace {

// Lanes [0, images) of the kWidth elements at `from`, a vector an element; lanes beyond become 0.
inline void interleave_square(float* to, const float* from, std::int64_t image_step, std::int64_t images,
                              std::int64_t elements) {
  Vec square[kWidth];
  const Mask used = first_lanes(static_cast<int>(elements));
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) {
    square[i] = i < images ? elements == kWidth ? load(from + i * image_step)
                                                : load_partial(from + i * image_step, used)
                           : zero();
  }
  transpose(square);
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) {
    if (i < elements) store(to + i * kLanes, square[i]);
  }
}

inline void deinterleave_square(float* to, const float* from, std::int64_t image_step, std::int64_t images,
                                std::int64_t elements) {
  Vec square[kWidth];
  const Mask used = first_lanes(static_cast<int>(elements));
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) square[i] = i < elements ? load(from + i * kLanes) : zero();
  transpose(square);
#pragma GCC unroll 16
  for (int i = 0; i < kWidth; ++i) {
    if (i >= images) continue;
    if (elements == kWidth) {
      store(to + i * image_step, square[i]);
    } else {
      store_partial(to + i * image_step, used, square[i]);
    }
  }
}

inline std::int64_t at_most_width(std::int64_t count) {
  return count < 0 ? 0 : count < kWidth ? count : kWidth;
}

void interleave(float* to, const float* from, std::int64_t image_step, std::int64_t images,
                std::int64_t elements) {
  for (std::int64_t e = 0; e < elements; e += kWidth) {
    for (std::int64_t lane = 0; lane < kLanes; lane += kWidth) {
      const std::int64_t wide = at_most_width(images - lane);
      const float* first = wide == 0 ? from : from + lane * image_step;  // no pointer beyond the batch
      interleave_square(to + e * kLanes + lane, first + e, image_step, wide, at_most_width(elements - e));
    }
  }
}

void deinterleave(float* to, const float* from, std::int64_t image_step, std::int64_t images,
                  std::int64_t elements) {
  for (std::int64_t e = 0; e < elements; e += kWidth) {
    for (std::int64_t lane = 0; lane < images; lane += kWidth) {
      deinterleave_square(to + lane * image_step + e, from + e * kLanes + lane, image_step,
                          at_most_width(images - lane), at_most_width(elements - e));
    }
  }
}

void sum_pixels(float* sums, const float* x, std::int64_t x_step, std::int64_t pixels,
                std::int64_t elements) {
  for (std::int64_t at = 0; at < elements * kLanes; at += kWidth) {
    // Four sums hide the latency of the addition.
    Vec sum[4] = {load(sums + at), zero(), zero(), zero()};
    const float* from = x + at;
    std::int64_t p = 0;
    for (; p + 4 <= pixels; p += 4, from += 4 * x_step) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) sum[i] = add(sum[i], load(from + i * x_step));
    }
    for (; p < pixels; ++p, from += x_step) sum[0] = add(sum[0], load(from));
    store(sums + at, add(add(sum[0], sum[1]), add(sum[2], sum[3])));
  }
}

void sum_lanes(float* to, const float* from, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i, from += kLanes) {
    Vec sum = load(from);
    for (std::int64_t lane = kWidth; lane < kLanes; lane += kWidth) sum = add(sum, load(from + lane));
    to[i] = reduce_add(sum);
  }
}

}  // namespace
}  // namespace receptive
