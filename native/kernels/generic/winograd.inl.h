// SPDX-License-Identifier: Apache-2.0
// Winograd's (Toom and Cook's) minimal filtering over the vector vocabulary. Include after a vec.h.
//
// In one dimension, m outputs of a kernel g of r taps over t = m + r - 1 inputs d are A' ((G g) * (B' d)), t
// products instead of r m. Each of the t products belongs to a point p at which polynomials are evaluated.
// With M(x) the product of (x - p) over the finite points, the row of p is
//
//   in B':  the coefficients of M(x) / (x - p);  for infinity those of M(x)
//   in G:   (1, p, ..., p^(r-1)) / M'(p);        for infinity (0, ..., 0, 1)
//   in A:   (1, p, ..., p^(m-1));                for infinity (0, ..., 0, 1)
//
// In two dimensions each matrix is applied to the rows and to the columns.
//
// F(2x2): 0, 1, -1, infinity; M = x^3 - x. 2.25 times fewer products.
// F(4x4): 0, +-s, +-2s, infinity with s = sqrt(1/2); M = x^5 - 5/2 x^3 + x. 4 times fewer products.
//
//        | 1   0  -5/2   0   1  0 |         |  1     0      0  |        | 1  1    1   1   1  0 |
//        | 0  -2s  -2    s   1  0 |         | -2/3  -2/3 s -1/3 |   A' = | 0  s   -s   2s -2s 0 |
//   B' = | 0   2s  -2   -s   1  0 |     G = | -2/3   2/3 s -1/3 |        | 0 1/2  1/2  2   2  0 |
//        | 0  -s  -1/2  2s   1  0 |         |  1/6  1/3 s  1/3 |        | 0 s/2 -s/2  4s -4s 1 |
//        | 0   s  -1/2 -2s   1  0 |         |  1/6 -1/3 s  1/3 |
//        | 0   1   0  -5/2   0  1 |         |  0     0      1  |
//
// F(2x2, 5x5) has these points too, and so this B'. A' ends after its second row, and the column of infinity
// with it; G has the columns of p^3 and p^4. 2.8 times fewer products.
//
// Points whose pairs multiply to 1 keep the powers near 1, which is what the rounding error grows with. What
// that gives is measured in docs/kernels.md, "Winograd". The irrational entries always come as s times an
// exact factor.
#pragma once

#include "kernels/generic/winograd_f2.inl.h"
#include "kernels/generic/winograd_f2_taps5.inl.h"
#include "kernels/generic/winograd_f4.inl.h"
#include "kernels/winograd_kernels.h"

namespace receptive {
namespace {

template <int kSide>
struct Pixels {
  const float* const* pixels;
  std::int64_t channel;
  inline Vec operator()(int i, int j) const { return load(pixels[i * kSide + j] + channel); }
};

template <int kSide>
inline void prefetch_pixels(const float* const* pixels, std::int64_t channel) {
#pragma GCC unroll 36
  for (int i = 0; i < kSide * kSide; ++i) __builtin_prefetch(pixels[i] + channel, 0, 3);
}

template <int kSide>
struct PartialPixels {
  const float* const* pixels;
  std::int64_t channel;
  Mask lanes;
  inline Vec operator()(int i, int j) const { return load_partial(pixels[i * kSide + j] + channel, lanes); }
};

template <int kSide>
struct Frequencies {
  const float* frequencies;
  std::int64_t stride;
  inline Vec operator()(int i, int j) const { return load(frequencies + (i * kSide + j) * stride); }
};

template <int kSide, bool kPartial, bool kResidual>
struct OutputPixels {
  float* const* pixels;
  std::int64_t channel;
  Mask lanes;
  Vec bias;
  const float* const* residual;
  bool relu;
  inline void operator()(int i, int j, Vec value) const {
    float* to = pixels[i * kSide + j] + channel;
    value = add(value, bias);
    if (kResidual) {
      const float* from = residual[i * kSide + j] + channel;
      value = add(value, kPartial ? load_partial(from, lanes) : load(from));
    }
    if (relu) value = max(zero(), value);
    if (kPartial) {
      store_partial(to, lanes, value);
    } else {
      store(to, value);
    }
  }
};

template <typename Tile>
void winograd_input(float* frequencies, std::int64_t stride, const float* const* pixels,
                    const float* const* next, std::int64_t channels) {
  std::int64_t c = 0;
  for (; c + kWidth <= channels; c += kWidth) {
    prefetch_pixels<Tile::kInputs>(next, c);
    Tile::input(frequencies + c, stride, Pixels<Tile::kInputs>{pixels, c});
  }
  if (c == channels) return;
  const Mask lanes = first_lanes(static_cast<int>(channels - c));
  Tile::input(frequencies + c, stride, PartialPixels<Tile::kInputs>{pixels, c, lanes});
}

template <typename Tile, bool kResidual>
void winograd_output_with(float* const* pixels, const float* frequencies, std::int64_t stride,
                          std::int64_t channels, const float* bias, const float* const* residual,
                          const float* const* next, bool relu) {
  constexpr int kIn = Tile::kInputs, kOut = Tile::kOutputs;
  const Mask all = first_lanes(kWidth);
  std::int64_t c = 0;
  for (; c + kWidth <= channels; c += kWidth) {
    if (kResidual) prefetch_pixels<kOut>(next, c);
    const Vec shift = bias == nullptr ? zero() : load(bias + c);
    Tile::output(Frequencies<kIn>{frequencies + c, stride},
                 OutputPixels<kOut, false, kResidual>{pixels, c, all, shift, residual, relu});
  }
  if (c == channels) return;
  const Mask lanes = first_lanes(static_cast<int>(channels - c));
  const Vec shift = bias == nullptr ? zero() : load_partial(bias + c, lanes);
  Tile::output(Frequencies<kIn>{frequencies + c, stride},
               OutputPixels<kOut, true, kResidual>{pixels, c, lanes, shift, residual, relu});
}

template <typename Tile>
void winograd_output(float* const* pixels, const float* frequencies, std::int64_t stride,
                     std::int64_t channels, const float* bias, bool relu) {
  winograd_output_with<Tile, false>(pixels, frequencies, stride, channels, bias, nullptr, nullptr, relu);
}

template <typename Tile>
void winograd_output_adjoint(float* frequencies, std::int64_t stride, const float* const* pixels,
                             const float* const* next, std::int64_t channels) {
  std::int64_t c = 0;
  for (; c + kWidth <= channels; c += kWidth) {
    prefetch_pixels<Tile::kOutputs>(next, c);
    Tile::output_adjoint(frequencies + c, stride, Pixels<Tile::kOutputs>{pixels, c});
  }
  if (c == channels) return;
  const Mask lanes = first_lanes(static_cast<int>(channels - c));
  Tile::output_adjoint(frequencies + c, stride, PartialPixels<Tile::kOutputs>{pixels, c, lanes});
}

template <typename Tile>
void winograd_weight(float* frequencies, std::int64_t stride, const float* taps, std::int64_t tap_stride,
                     std::int64_t channels) {
  constexpr int kIn = Tile::kInputs, kTaps = Tile::kTaps;
  for (std::int64_t c = 0; c < channels; c += kWidth) {
    const Mask lanes = first_lanes(static_cast<int>(channels - c < kWidth ? channels - c : kWidth));
    Vec half[kIn][kTaps], line[kIn];
#pragma GCC unroll 5
    for (int j = 0; j < kTaps; ++j) {
      Vec column[kTaps];
#pragma GCC unroll 5
      for (int i = 0; i < kTaps; ++i)
        column[i] = load_partial(taps + (i * kTaps + j) * tap_stride + c, lanes);
      Tile::weight_line(column, line);
#pragma GCC unroll 6
      for (int i = 0; i < kIn; ++i) half[i][j] = line[i];
    }
#pragma GCC unroll 6
    for (int i = 0; i < kIn; ++i) {
      Tile::weight_line(half[i], line);
#pragma GCC unroll 6
      for (int j = 0; j < kIn; ++j) store(frequencies + (i * kIn + j) * stride + c, line[j]);
    }
  }
}

template <typename Tile>
void winograd_weight_adjoint(float* taps, std::int64_t tap_stride, const float* frequencies,
                             std::int64_t stride, std::int64_t channels, bool accumulate) {
  constexpr int kIn = Tile::kInputs, kTaps = Tile::kTaps;
  for (std::int64_t c = 0; c < channels; c += kWidth) {
    const Mask lanes = first_lanes(static_cast<int>(channels - c < kWidth ? channels - c : kWidth));
    Vec half[kTaps][kIn];
#pragma GCC unroll 6
    for (int j = 0; j < kIn; ++j) {
      Vec column[kIn], line[kTaps];
#pragma GCC unroll 6
      for (int i = 0; i < kIn; ++i) column[i] = load(frequencies + (i * kIn + j) * stride + c);
      Tile::weight_adjoint_line(column, line);
#pragma GCC unroll 5
      for (int i = 0; i < kTaps; ++i) half[i][j] = line[i];
    }
#pragma GCC unroll 5
    for (int i = 0; i < kTaps; ++i) {
      Vec line[kTaps];
      Tile::weight_adjoint_line(half[i], line);
#pragma GCC unroll 5
      for (int j = 0; j < kTaps; ++j) {
        float* to = taps + (i * kTaps + j) * tap_stride + c;
        store_partial(to, lanes, accumulate ? add(load_partial(to, lanes), line[j]) : line[j]);
      }
    }
  }
}

template <typename Tile>
constexpr WinogradTransforms winograd_transforms() {
  return {Tile::kOutputs,
          Tile::kInputs,
          Tile::kTaps,
          winograd_input<Tile>,
          winograd_output<Tile>,
          winograd_output_with<Tile, true>,
          winograd_output_adjoint<Tile>,
          winograd_weight<Tile>,
          winograd_weight_adjoint<Tile>};
}

void winograd_line_input(float* frequencies, std::int64_t stride, const float* const* pixels,
                         std::int64_t channels) {
  for (std::int64_t c = 0; c < channels; c += kWidth) {
    Vec line[6];
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) line[i] = load(pixels[i] + c);
    WinogradF4::store_input_row(frequencies + c, stride, 0, line);
  }
}

void winograd_line_output(float* const* pixels, const float* frequencies, std::int64_t stride,
                          std::int64_t channels, const float* bias, bool relu) {
  for (std::int64_t c = 0; c < channels; c += kWidth) {
    const Vec shift = bias == nullptr ? zero() : load(bias + c);
    Vec line[6];
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) line[i] = load(frequencies + i * stride + c);
    Vec even = add(WinogradF2Taps5::even_output(line), shift);
    Vec odd = add(WinogradF2Taps5::odd_output(line), shift);
    if (relu) even = max(zero(), even), odd = max(zero(), odd);
    store(pixels[0] + c, even);
    store(pixels[1] + c, odd);
  }
}

void winograd_line_weight(float* frequencies, std::int64_t stride, const float* taps, std::int64_t tap_stride,
                          std::int64_t channels) {
  for (std::int64_t c = 0; c < channels; c += kWidth) {
    const Mask lanes = first_lanes(static_cast<int>(channels - c < kWidth ? channels - c : kWidth));
    Vec column[5], line[6];
#pragma GCC unroll 5
    for (int i = 0; i < 5; ++i) column[i] = load_partial(taps + i * tap_stride + c, lanes);
    WinogradF2Taps5::weight_line(column, line);
#pragma GCC unroll 6
    for (int i = 0; i < 6; ++i) store(frequencies + i * stride + c, line[i]);
  }
}

// Squares of vectors through registers; what is left at the edges one by one.
void transpose(float* to, std::int64_t to_stride, const float* from, std::int64_t from_stride,
               std::int64_t rows, std::int64_t columns) {
  const std::int64_t square_rows = rows / kWidth * kWidth, square_columns = columns / kWidth * kWidth;
  for (std::int64_t row = 0; row < square_rows; row += kWidth) {
    for (std::int64_t column = 0; column < square_columns; column += kWidth) {
      Vec square[kWidth];
#pragma GCC unroll 16
      for (int i = 0; i < kWidth; ++i) square[i] = load(from + (row + i) * from_stride + column);
      transpose_square(square);
#pragma GCC unroll 16
      for (int i = 0; i < kWidth; ++i) store(to + (column + i) * to_stride + row, square[i]);
    }
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = row < square_rows ? square_columns : 0; column < columns; ++column)
      to[column * to_stride + row] = from[row * from_stride + column];
  }
}

void prefetch_rows(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t floats) {
  constexpr std::int64_t kLine = 16;
  for (std::int64_t row = 0; row < count; ++row, rows += stride) {
    for (std::int64_t i = 0; i < floats; i += kLine) __builtin_prefetch(rows + i, 0, 2);
  }
}

constexpr WinogradKernels kWinogradKernels = {
    winograd_transforms<WinogradF2>(),
    winograd_transforms<WinogradF4>(),
    winograd_transforms<WinogradF2Taps5>(),
    {winograd_line_input, winograd_line_output, winograd_line_weight},
    transpose,
    prefetch_rows};

}  // namespace
}  // namespace receptive
