// SPDX-License-Identifier: Apache-2.0
// Batch normalisation over the vector vocabulary: down the rows, a block of columns at a time, whose
// statistics stay in registers. Include after a vec.h.
#pragma once

#include "kernels/batch_norm_kernels.h"
#include "kernels/generic/columns.inl.h"

namespace receptive {
namespace {

// totals[v] = sum over the rows of what `term` adds at column c + v * kWidth: term.onto(total, element, v,
// lanes). A narrow block takes several rows at a time, to have as many sums side by side as a wide one.
template <int kVectors, typename Term, typename Range>
inline void sum_rows(Vec* totals, const Term& term, std::int64_t c, std::int64_t rows, std::int64_t channels,
                     Range lanes) {
  constexpr int kRows = kChains / kVectors;
  Vec sums[kRows][kVectors];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[i][v] = zero();
  }
  std::int64_t row = 0, at = c;
  for (; row + kRows <= rows; row += kRows, at += kRows * channels) {
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v)
        sums[i][v] = term.onto(sums[i][v], at + i * channels + v * kWidth, v, lanes);
    }
  }
  for (; row < rows; ++row, at += channels) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sums[0][v] = term.onto(sums[0][v], at + v * kWidth, v, lanes);
  }
#pragma GCC unroll 4
  for (int v = 0; v < kVectors; ++v) {
    totals[v] = sums[0][v];
#pragma GCC unroll 4
    for (int i = 1; i < kRows; ++i) totals[v] = add(totals[v], sums[i][v]);
  }
}

struct Deviation {
  const float* x;
  const Vec* origin;
  template <typename Range>
  inline Vec onto(Vec total, std::int64_t at, int v, Range lanes) const {
    return add(total, sub(lanes.load(x + at), origin[v]));
  }
};

struct SquaredDeviation {
  const float* x;
  const Vec *origin, *mean;
  template <typename Range>
  inline Vec onto(Vec total, std::int64_t at, int v, Range lanes) const {
    const Vec deviation = sub(sub(lanes.load(x + at), origin[v]), mean[v]);
    return fma(deviation, deviation, total);
  }
};

// The gradient that comes in: dy, or, behind a ReLU, dy where its output is positive.
template <bool kBehindRelu>
struct Incoming {
  const float *dy, *output;
  template <typename Range>
  inline Vec load(std::int64_t at, Range lanes) const {
    if (!kBehindRelu) return lanes.load(dy + at);
    return select(greater(lanes.load(output + at), zero()), lanes.load(dy + at), zero());
  }
};

struct Moments {
  float *mean, *m2;
  const float *x, *origin;
  std::int64_t rows, channels;

  template <int kVectors, typename Range>
  inline void block(std::int64_t c, Range lanes) const {
    Vec from[kVectors], centre[kVectors], squares[kVectors];
    load_block<kVectors>(from, origin + c, lanes);
    sum_rows<kVectors>(centre, Deviation{x, from}, c, rows, channels, lanes);
    const Vec count = broadcast(static_cast<float>(rows));
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) centre[v] = div(centre[v], count);
    sum_rows<kVectors>(squares, SquaredDeviation{x, from, centre}, c, rows, channels, lanes);
    store_block<kVectors>(mean + c, centre, lanes);
    store_block<kVectors>(m2 + c, squares, lanes);
  }
};

// Both sums in one walk over the rows: the gradient and x come from the far cache once.
template <bool kBehindRelu>
struct GradientSums {
  float *dy_sum, *product_sum;
  Incoming<kBehindRelu> dy;
  const float *x, *mean;
  std::int64_t rows, channels;

  template <int kVectors, typename Range>
  inline void block(std::int64_t c, Range lanes) const {
    constexpr int kRows = kChains / kVectors;
    Vec centre[kVectors], sums[kRows][kVectors], products[kRows][kVectors];
    load_block<kVectors>(centre, mean + c, lanes);
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[i][v] = products[i][v] = zero();
    }
    std::int64_t row = 0, at = c;
    for (; row + kRows <= rows; row += kRows, at += kRows * channels) {
#pragma GCC unroll 4
      for (int i = 0; i < kRows; ++i) onto<kVectors>(sums[i], products[i], centre, at + i * channels, lanes);
    }
    for (; row < rows; ++row, at += channels) onto<kVectors>(sums[0], products[0], centre, at, lanes);
#pragma GCC unroll 4
    for (int i = 1; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        sums[0][v] = add(sums[0][v], sums[i][v]);
        products[0][v] = add(products[0][v], products[i][v]);
      }
    }
    store_block<kVectors>(dy_sum + c, sums[0], lanes);
    store_block<kVectors>(product_sum + c, products[0], lanes);
  }

  template <int kVectors, typename Range>
  inline void onto(Vec* sums, Vec* products, const Vec* centre, std::int64_t at, Range lanes) const {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      const Vec gradient = dy.load(at + v * kWidth, lanes);
      const Vec deviation = sub(lanes.load(x + at + v * kWidth), centre[v]);
      sums[v] = add(sums[v], gradient);
      products[v] = fma(gradient, deviation, products[v]);
    }
  }
};

template <bool kResidual, bool kRelu>
struct Normalize {
  float* y;
  const float *x, *residual, *scale, *shift;
  std::int64_t rows, channels;

  template <int kVectors, typename Range>
  inline void block(std::int64_t c, Range lanes) const {
    Vec factor[kVectors], offset[kVectors];
    load_block<kVectors>(factor, scale + c, lanes);
    load_block<kVectors>(offset, shift + c, lanes);
    for (std::int64_t row = 0, at = c; row < rows; ++row, at += channels) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t i = at + v * kWidth;
        Vec value = fma(lanes.load(x + i), factor[v], offset[v]);
        if (kResidual) value = add(value, lanes.load(residual + i));
        if (kRelu) value = max(zero(), value);  // as vector.inl.h has it: NaN stays NaN
        lanes.store(y + i, value);
      }
    }
  }
};

template <bool kBehindRelu>
struct GradInput {
  float* dx;
  Incoming<kBehindRelu> dy;
  const float *x, *mean, *dy_factor, *x_factor, *shift;
  std::int64_t rows, channels;

  template <int kVectors, typename Range>
  inline void block(std::int64_t c, Range lanes) const {
    Vec centre[kVectors], of_dy[kVectors], of_x[kVectors], offset[kVectors];
    load_block<kVectors>(centre, mean + c, lanes);
    load_block<kVectors>(of_dy, dy_factor + c, lanes);
    load_block<kVectors>(of_x, x_factor + c, lanes);
    load_block<kVectors>(offset, shift + c, lanes);
    for (std::int64_t row = 0, at = c; row < rows; ++row, at += channels) {
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const std::int64_t i = at + v * kWidth;
        const Vec deviation = sub(lanes.load(x + i), centre[v]);
        lanes.store(dx + i, fma(dy.load(i, lanes), of_dy[v], fma(deviation, of_x[v], offset[v])));
      }
    }
  }
};

void moments(float* mean, float* m2, const float* x, const float* origin, std::int64_t rows,
             std::int64_t channels) {
  for_column_blocks(Moments{mean, m2, x, origin, rows, channels}, channels);
}

void normalize_rows(float* y, const float* x, const float* residual, const float* scale, const float* shift,
                    bool relu, std::int64_t rows, std::int64_t channels) {
  if (residual != nullptr && relu) {
    for_column_blocks(Normalize<true, true>{y, x, residual, scale, shift, rows, channels}, channels);
  } else if (residual != nullptr) {
    for_column_blocks(Normalize<true, false>{y, x, residual, scale, shift, rows, channels}, channels);
  } else if (relu) {
    for_column_blocks(Normalize<false, true>{y, x, residual, scale, shift, rows, channels}, channels);
  } else {
    for_column_blocks(Normalize<false, false>{y, x, residual, scale, shift, rows, channels}, channels);
  }
}

template <bool kBehindRelu>
inline void gradient_sums_of(float* dy_sum, float* product_sum, Incoming<kBehindRelu> dy, const float* x,
                             const float* mean, std::int64_t rows, std::int64_t channels) {
  for_column_blocks(GradientSums<kBehindRelu>{dy_sum, product_sum, dy, x, mean, rows, channels}, channels);
}

void gradient_sums(float* dy_sum, float* product_sum, const float* dy, const float* output, const float* x,
                   const float* mean, std::int64_t rows, std::int64_t channels) {
  if (output != nullptr) {
    gradient_sums_of(dy_sum, product_sum, Incoming<true>{dy, output}, x, mean, rows, channels);
  } else {
    gradient_sums_of(dy_sum, product_sum, Incoming<false>{dy, output}, x, mean, rows, channels);
  }
}

template <bool kBehindRelu>
inline void grad_input_of(float* dx, Incoming<kBehindRelu> dy, const float* x, const float* mean,
                          const float* dy_factor, const float* x_factor, const float* shift,
                          std::int64_t rows, std::int64_t channels) {
  for_column_blocks(GradInput<kBehindRelu>{dx, dy, x, mean, dy_factor, x_factor, shift, rows, channels},
                    channels);
}

void grad_input(float* dx, const float* dy, const float* output, const float* x, const float* mean,
                const float* dy_factor, const float* x_factor, const float* shift, std::int64_t rows,
                std::int64_t channels) {
  if (output != nullptr) {
    grad_input_of(dx, Incoming<true>{dy, output}, x, mean, dy_factor, x_factor, shift, rows, channels);
  } else {
    grad_input_of(dx, Incoming<false>{dy, output}, x, mean, dy_factor, x_factor, shift, rows, channels);
  }
}

constexpr BatchNormKernels kBatchNormKernels = {moments, normalize_rows, gradient_sums, grad_input};

}  // namespace
}  // namespace receptive
