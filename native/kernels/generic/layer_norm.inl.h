// SPDX-License-Identifier: Apache-2.0
// Layer normalisation over the vector vocabulary: along the rows. Include after a vec.h.
#pragma once

#include <math.h>

#include "kernels/generic/columns.inl.h"
#include "kernels/layer_norm_kernels.h"

namespace receptive {
namespace {

// Floats summed in single precision; runs of them are added in double. 16 KiB of x and of dy stay in the
// near cache, and a chain of additions is at most 4096 / 4 / kWidth long.
constexpr std::int64_t kRun = 4096;

// Two sums over a row, of what term.at(i, lanes, &first, &second) gives for the elements from i on.
struct RowSums {
  double first = 0, second = 0;

  template <typename Term>
  inline RowSums(const Term& term, std::int64_t width) {
    for (std::int64_t begin = 0; begin < width; begin += kRun)
      add_run(term, begin, begin + kRun < width ? begin + kRun : width);
  }

  template <typename Term>
  inline void add_run(const Term& term, std::int64_t begin, std::int64_t end) {
    Vec sums[kChains], squares[kChains];
#pragma GCC unroll 4
    for (int j = 0; j < kChains; ++j) sums[j] = squares[j] = zero();
    std::int64_t i = begin;
    for (; i + kChains * kWidth <= end; i += kChains * kWidth) {
#pragma GCC unroll 4
      for (int j = 0; j < kChains; ++j) term.onto(&sums[j], &squares[j], i + j * kWidth, WholeVector{});
    }
    for (; i + kWidth <= end; i += kWidth) term.onto(&sums[0], &squares[0], i, WholeVector{});
    if (i < end) term.onto_rest(&sums[1], &squares[1], i, end - i);
    first += static_cast<double>(reduce_add(add(add(sums[0], sums[1]), add(sums[2], sums[3]))));
    second += static_cast<double>(reduce_add(add(add(squares[0], squares[1]), add(squares[2], squares[3]))));
  }
};

// x - origin and its square
struct RowDeviation {
  const float* x;
  Vec origin;

  template <typename Range>
  inline void onto(Vec* sum, Vec* square, std::int64_t i, Range lanes) const {
    const Vec deviation = sub(lanes.load(x + i), origin);
    *sum = add(*sum, deviation);
    *square = fma(deviation, deviation, *square);
  }
  inline void onto_rest(Vec* sum, Vec* square, std::int64_t i, std::int64_t count) const {
    const PartialVector lanes(count);
    const Vec deviation = select(lanes.lanes, sub(lanes.load(x + i), origin), zero());
    *sum = add(*sum, deviation);
    *square = fma(deviation, deviation, *square);
  }
};

// weight * dy, and its product with x - mean
template <bool kWeighted>
struct RowGradient {
  const float *dy, *x, *weight;
  Vec mean;

  template <typename Range>
  inline Vec gradient(std::int64_t i, Range lanes) const {
    const Vec value = lanes.load(dy + i);
    return kWeighted ? mul(value, lanes.load(weight + i)) : value;
  }
  template <typename Range>
  inline void onto(Vec* sum, Vec* product, std::int64_t i, Range lanes) const {
    const Vec value = gradient(i, lanes);
    *sum = add(*sum, value);
    *product = fma(value, sub(lanes.load(x + i), mean), *product);
  }
  // Lanes without an element have the gradient 0.
  inline void onto_rest(Vec* sum, Vec* product, std::int64_t i, std::int64_t count) const {
    onto(sum, product, i, PartialVector(count));
  }
};

// body.apply(i, lanes) for all elements of a row
template <typename Body>
inline void for_row(const Body& body, std::int64_t width) {
  std::int64_t i = 0;
  for (; i + kWidth <= width; i += kWidth) body.apply(i, WholeVector{});
  if (i < width) body.apply(i, PartialVector(width - i));
}

template <bool kWeighted, bool kBiased>
struct NormalizeRow {
  float* y;
  const float *x, *weight, *bias;
  Vec mean, inverse_std;

  template <typename Range>
  inline void apply(std::int64_t i, Range lanes) const {
    Vec value = mul(sub(lanes.load(x + i), mean), inverse_std);
    if (kWeighted) value = mul(value, lanes.load(weight + i));
    if (kBiased) value = add(value, lanes.load(bias + i));
    lanes.store(y + i, value);
  }
};

template <bool kWeighted>
struct RowGradInput {
  float* dx;
  RowGradient<kWeighted> of;
  Vec inverse_std, x_factor, shift;

  template <typename Range>
  inline void apply(std::int64_t i, Range lanes) const {
    const Vec deviation = sub(lanes.load(of.x + i), of.mean);
    lanes.store(dx + i, fma(of.gradient(i, lanes), inverse_std, fma(deviation, x_factor, shift)));
  }
};

template <bool kWeighted, bool kBiased>
inline void layer_norm_rows(float* y, float* mean, float* inverse_std, const float* x, const float* weight,
                            const float* bias, double eps, std::int64_t rows, std::int64_t width) {
  const double count = static_cast<double>(width);
  for (std::int64_t row = 0; row < rows; ++row, y += width, x += width) {
    // The mean counted from the first element; then the squares counted from that mean, so that nothing
    // cancels. What rounding left of the mean is taken from both.
    const RowSums near(RowDeviation{x, broadcast(x[0])}, width);
    const float middle = static_cast<float>(static_cast<double>(x[0]) + near.first / count);
    const RowSums sums(RowDeviation{x, broadcast(middle)}, width);
    const double off = sums.first / count;
    mean[row] = static_cast<float>(static_cast<double>(middle) + off);
    inverse_std[row] = static_cast<float>(1.0 / ::sqrt(sums.second / count - off * off + eps));
    for_row(NormalizeRow<kWeighted, kBiased>{y, x, weight, bias, broadcast(mean[row]),
                                             broadcast(inverse_std[row])},
            width);
  }
}

void layer_norm_forward(float* y, float* mean, float* inverse_std, const float* x, const float* weight,
                        const float* bias, double eps, std::int64_t rows, std::int64_t width) {
  if (weight != nullptr && bias != nullptr) {
    layer_norm_rows<true, true>(y, mean, inverse_std, x, weight, bias, eps, rows, width);
  } else if (weight != nullptr) {
    layer_norm_rows<true, false>(y, mean, inverse_std, x, weight, bias, eps, rows, width);
  } else if (bias != nullptr) {
    layer_norm_rows<false, true>(y, mean, inverse_std, x, weight, bias, eps, rows, width);
  } else {
    layer_norm_rows<false, false>(y, mean, inverse_std, x, weight, bias, eps, rows, width);
  }
}

// dx = inverse_std * (g - mean of g - normalised x * mean of g * normalised x) with g = weight * dy
template <bool kWeighted>
inline void grad_input_rows(float* dx, const float* dy, const float* x, const float* mean,
                            const float* inverse_std, const float* weight, std::int64_t rows,
                            std::int64_t width) {
  const double count = static_cast<double>(width);
  for (std::int64_t row = 0; row < rows; ++row, dx += width, dy += width, x += width) {
    const RowGradient<kWeighted> of{dy, x, weight, broadcast(mean[row])};
    const RowSums sums(of, width);
    const double factor = static_cast<double>(inverse_std[row]);
    const double of_x = -factor * factor * factor * sums.second / count;
    for_row(RowGradInput<kWeighted>{dx, of, broadcast(inverse_std[row]), broadcast(static_cast<float>(of_x)),
                                    broadcast(static_cast<float>(-factor * sums.first / count))},
            width);
  }
}

void layer_norm_grad_input(float* dx, const float* dy, const float* x, const float* mean,
                           const float* inverse_std, const float* weight, std::int64_t rows,
                           std::int64_t width) {
  if (weight != nullptr) {
    grad_input_rows<true>(dx, dy, x, mean, inverse_std, weight, rows, width);
  } else {
    grad_input_rows<false>(dx, dy, x, mean, inverse_std, weight, rows, width);
  }
}

struct ColumnGradients {
  float *dweight, *dbias;
  const float *dy, *x, *mean, *inverse_std;
  std::int64_t rows, width;

  template <int kVectors, typename Range>
  inline void block(std::int64_t c, Range lanes) const {
    Vec products[kVectors], sums[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) products[v] = sums[v] = zero();
    for (std::int64_t row = 0, at = c; row < rows; ++row, at += width) {
      const Vec centre = broadcast(mean[row]), factor = broadcast(inverse_std[row]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        const Vec gradient = lanes.load(dy + at + v * kWidth);
        const Vec normalized = mul(sub(lanes.load(x + at + v * kWidth), centre), factor);
        products[v] = fma(gradient, normalized, products[v]);
        sums[v] = add(sums[v], gradient);
      }
    }
    store_block<kVectors>(dweight + c, products, lanes);
    store_block<kVectors>(dbias + c, sums, lanes);
  }
};

void layer_norm_grad_weight(float* dweight, float* dbias, const float* dy, const float* x, const float* mean,
                            const float* inverse_std, std::int64_t rows, std::int64_t width,
                            std::int64_t columns) {
  for_column_blocks(ColumnGradients{dweight, dbias, dy, x, mean, inverse_std, rows, width}, columns);
}

constexpr LayerNormKernels kLayerNormKernels = {layer_norm_forward, layer_norm_grad_input,
                                                layer_norm_grad_weight};

}  // namespace
}  // namespace receptive
