// SPDX-License-Identifier: Apache-2.0
// Contract of the transforms of Winograd's convolutions, F(m x m, r x r): m x m outputs of a kernel of r x r
// taps from t x t inputs, t = m + r - 1, by t * t products instead of r * r * m * m. Their mathematics stands
// in generic/winograd.inl.h.
//
// All of them work on vectors of channels. What is transformed is given by pointers to pixels (a pointer to
// zeros or to a row that nobody reads stands for what lies outside an image); the t * t results, or operands,
// called frequencies, lie `stride` floats apart, in rows that may be read and written to the end of their
// last vector.
#pragma once

#include <cstdint>

namespace receptive {

struct WinogradTransforms {
  int outputs;  // m
  int inputs;   // t
  int taps;     // r
  // frequencies [t][t] = B' d B, from the pixels [t][t] of an input tile. `next` are the pixels of the tile
  // to come: hardware does not foresee where its rows begin.
  void (*input)(float* frequencies, std::int64_t stride, const float* const* pixels, const float* const* next,
                std::int64_t channels);
  // pixels [m][m] = A' M A + bias, then ReLU: negative values become 0, NaN stays NaN. bias may be nullptr.
  void (*output)(float* const* pixels, const float* frequencies, std::int64_t stride, std::int64_t channels,
                 const float* bias, bool relu);
  // The same with the pixels [m][m] of a residual added before the ReLU; `next` are those of the tile to
  // come.
  void (*output_with_residual)(float* const* pixels, const float* frequencies, std::int64_t stride,
                               std::int64_t channels, const float* bias, const float* const* residual,
                               const float* const* next, bool relu);
  // frequencies [t][t] = A dy A', the adjoint of `output`, from the pixels [m][m] of a tile of gradients
  void (*output_adjoint)(float* frequencies, std::int64_t stride, const float* const* pixels,
                         const float* const* next, std::int64_t channels);
  // frequencies [t][t] = G g G', from the taps [r][r] of a kernel, tap_stride floats apart
  void (*weight)(float* frequencies, std::int64_t stride, const float* taps, std::int64_t tap_stride,
                 std::int64_t channels);
  // taps [r][r] (+)= G' dU G, the adjoint of `weight`
  void (*weight_adjoint)(float* taps, std::int64_t tap_stride, const float* frequencies, std::int64_t stride,
                         std::int64_t channels, bool accumulate);
};

// F(2, 5), one dimension of F(2x2, 5x5): 2 outputs from 6 inputs. Arguments as above.
struct WinogradLine {
  void (*input)(float* frequencies, std::int64_t stride, const float* const* pixels, std::int64_t channels);
  void (*output)(float* const* pixels, const float* frequencies, std::int64_t stride, std::int64_t channels,
                 const float* bias, bool relu);
  void (*weight)(float* frequencies, std::int64_t stride, const float* taps, std::int64_t tap_stride,
                 std::int64_t channels);
};

struct WinogradKernels {
  WinogradTransforms f2, f4;    // of 3x3 kernels
  WinogradTransforms f2_taps5;  // of 5x5 kernels
  WinogradLine f2_line;         // of rows of 5 taps; channels of images are whole vectors
  // to[column * to_stride + row] = from[row * from_stride + column]
  void (*transpose)(float* to, std::int64_t to_stride, const float* from, std::int64_t from_stride,
                    std::int64_t rows, std::int64_t columns);
  // Asks for `count` rows of `floats`, `stride` apart, so that they are near when they are read.
  void (*prefetch)(const float* rows, std::int64_t stride, std::int64_t count, std::int64_t floats);
};

}  // namespace receptive
