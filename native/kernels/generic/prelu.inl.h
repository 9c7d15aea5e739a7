// SPDX-License-Identifier: Apache-2.0
// PReLU over the vector vocabulary. Include after a vec.h.
#pragma once

#include "kernels/generic/columns.inl.h"
#include "kernels/prelu_kernels.h"

namespace receptive {
namespace {

struct PReluForward {
  float* y;
  const float *x, *weight;
  std::int64_t rows, channels;

  template <int kVectors, typename Range>
  inline void block(std::int64_t c, Range lanes) const {
    Vec slope[kVectors];
    load_block<kVectors>(slope, weight + c, lanes);
    for (std::int64_t row = 0, at = c; row < rows; ++row, at += channels) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const Vec value = lanes.load(x + at + v * kWidth);
        lanes.store(y + at + v * kWidth, select(greater(value, zero()), value, mul(slope[v], value)));
      }
    }
  }
};

template <bool kInput, bool kWeight>
struct PReluBackward {
  float *dx, *dweight;
  const float *dy, *x, *weight;
  std::int64_t rows, channels;

  template <int kVectors, typename Range>
  inline void block(std::int64_t c, Range lanes) const {
    Vec slope[kVectors], sums[kVectors];
    load_block<kVectors>(slope, weight + c, lanes);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[v] = zero();
    for (std::int64_t row = 0, at = c; row < rows; ++row, at += channels) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const Vec value = lanes.load(x + at + v * kWidth), gradient = lanes.load(dy + at + v * kWidth);
        const Mask passes = greater(value, zero());
        if (kWeight) sums[v] = add(sums[v], select(passes, zero(), mul(gradient, value)));
        if (kInput) lanes.store(dx + at + v * kWidth, select(passes, gradient, mul(slope[v], gradient)));
      }
    }
    if (kWeight) store_block<kVectors>(dweight + c, sums, lanes);
  }
};

void prelu_forward(float* y, const float* x, const float* weight, std::int64_t rows, std::int64_t channels) {
  for_column_blocks(PReluForward{y, x, weight, rows, channels}, channels);
}

void prelu_backward(float* dx, float* dweight, const float* dy, const float* x, const float* weight,
                    std::int64_t rows, std::int64_t channels) {
  if (dx != nullptr && dweight != nullptr) {
    for_column_blocks(PReluBackward<true, true>{dx, dweight, dy, x, weight, rows, channels}, channels);
  } else if (dx != nullptr) {
    for_column_blocks(PReluBackward<true, false>{dx, dweight, dy, x, weight, rows, channels}, channels);
  } else if (dweight != nullptr) {
    for_column_blocks(PReluBackward<false, true>{dx, dweight, dy, x, weight, rows, channels}, channels);
  }
}

constexpr PReluKernels kPReluKernels = {prelu_forward, prelu_backward};

}  // namespace
}  // namespace receptive
