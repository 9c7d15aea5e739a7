// SPDX-License-Identifier: Apache-2.0
// Elementwise arithmetic and sums, written once over the vector vocabulary. Include after a vec.h.
#pragma once

#include "kernels/generic/elementwise.inl.h"
#include "kernels/vector_kernels.h"

namespace receptive {
namespace {

struct Add {
  static inline Vec apply(Vec a, Vec b) { return receptive::add(a, b); }
};
struct Multiply {
  static inline Vec apply(Vec a, Vec b) { return mul(a, b); }
};
template <typename Body>
void binary(float* out, const float* a, const float* b, std::int64_t count) {
  for_each_vector(out, a, b, count, Body{});
}
void scale_vector(float* out, const float* in, float factor, std::int64_t count) {
  const Vec by = broadcast(factor);
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(out + i, mul(load(in + i), by));
  if (i < count) {
    const Mask lanes = first_lanes(static_cast<int>(count - i));
    store_partial(out + i, lanes, mul(load_partial(in + i, lanes), by));
  }
}

void add_rows(float* out, const float* in, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t c = 0; c < columns; c += kWidth) {
    const Mask lanes = first_lanes(static_cast<int>(columns - c < kWidth ? columns - c : kWidth));
    Vec total = load_partial(out + c, lanes);
    for (std::int64_t row = 0; row < rows; ++row)
      total = add(total, load_partial(in + row * columns + c, lanes));
    store_partial(out + c, lanes, total);
  }
}

// So many rows of the weight at once: enough sums to hide the latency of a multiply-add.
constexpr int kDotRows = 8;

template <int kRows>
inline void dot_rows_fixed(float* y, const float* x, const float* weight, const float* bias,
                           std::int64_t depth) {
  Vec total[kRows];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) total[i] = zero();
  std::int64_t k = 0;
  for (; k + kWidth <= depth; k += kWidth) {
    const Vec xv = load(x + k);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) total[i] = fma(xv, load(weight + i * depth + k), total[i]);
  }
  if (k < depth) {
    const Mask lanes = first_lanes(static_cast<int>(depth - k));
    const Vec xv = load_partial(x + k, lanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) total[i] = fma(xv, load_partial(weight + i * depth + k, lanes), total[i]);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) y[i] = reduce_add(total[i]) + (bias == nullptr ? 0.0f : bias[i]);
}

void dot_rows(float* y, const float* x, const float* weight, const float* bias, std::int64_t count,
              std::int64_t depth) {
  std::int64_t o = 0;
  for (; o + kDotRows <= count; o += kDotRows)
    dot_rows_fixed<kDotRows>(y + o, x, weight + o * depth, bias == nullptr ? nullptr : bias + o, depth);
  for (; o < count; ++o)
    dot_rows_fixed<1>(y + o, x, weight + o * depth, bias == nullptr ? nullptr : bias + o, depth);
}

float sum_vector(const float* in, std::int64_t count) {
  Vec total[4] = {zero(), zero(), zero(), zero()};
  std::int64_t i = 0;
  for (; i + 4 * kWidth <= count; i += 4 * kWidth) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) total[j] = add(total[j], load(in + i + j * kWidth));
  }
  for (; i + kWidth <= count; i += kWidth) total[0] = add(total[0], load(in + i));
  if (i < count) total[1] = add(total[1], load_partial(in + i, first_lanes(static_cast<int>(count - i))));
  return reduce_add(add(add(total[0], total[1]), add(total[2], total[3])));
}

constexpr VectorKernels kVectorKernels = {
    binary<Add>, binary<Multiply>, scale_vector, add_rows, dot_rows, sum_vector,
};

}  // namespace
}  // namespace receptive
