// SPDX-License-Identifier: Apache-2.0
// What the three passes of Winograd's convolutions share: the grid of tiles, the memory of transformed
// tiles, and the passes over data. The matrices stand in kernels/generic/winograd.inl.h.
#pragma once

#include <cstdint>

#include "kernels/kernel_table.h"
#include "ops/conv2d.h"

namespace receptive::ops {

enum class WinogradTile { kF2, kF4, kF2Taps5 };

const WinogradTransforms& winograd_transforms(WinogradTile tile, const KernelTable& table);

// A batch of images, of which pixels and tiles are named by where they lie.
template <typename T>
struct ImageBatch {
  T* data;
  std::int64_t count, height, width, channels;

  // Pointers to side x side pixels, the first at (y, x) of image n; `outside` for those that are none.
  void point_at(T** pixels, int side, std::int64_t n, std::int64_t y, std::int64_t x, T* outside) const {
    for (int i = 0; i < side; ++i, pixels += side) {
      const bool row_inside = y + i >= 0 && y + i < height;
      const std::int64_t row = ((n * height + y + i) * width + x) * channels;
      for (int j = 0; j < side; ++j)
        pixels[j] = row_inside && x + j >= 0 && x + j < width ? data + (row + j * channels) : outside;
    }
  }
};

// The tiles of outputs of a batch, m x m each; those at the far borders may reach beyond the image.
struct TileGrid {
  std::int64_t rows, columns, count;
  TileGrid(std::int64_t batch, std::int64_t height, std::int64_t width, int outputs)
      : rows((height + outputs - 1) / outputs),
        columns((width + outputs - 1) / outputs),
        count(batch * rows * columns) {}
  std::int64_t image(std::int64_t tile) const { return tile / (rows * columns); }
  std::int64_t row(std::int64_t tile) const { return tile / columns % rows; }
  std::int64_t column(std::int64_t tile) const { return tile % columns; }
};

// Transformed tiles, [frequency][tile][channels]. Writing a tile touches t * t streams at once, so they lie
// an odd number of cache lines apart and fall into different sets of the cache: powers of two make
// transforms 1.4 to 2.3 times slower. Rows too, where products read parts of long ones; short rows lie side
// by side, because the near cache holds more of them so (64 channels: 3 to 8 % faster in all passes).
struct TileStreams {
  std::int64_t row, frequency;  // floats from tile to tile and from frequency to frequency
  int frequencies;
  TileStreams(std::int64_t tiles, std::int64_t channels, int inputs)
      : row((channels + kLine - 1) / kLine * kLine + (channels > kLongRow ? kLine : 0)),
        frequency((tiles * row / kLine | 1) * kLine),
        frequencies(inputs * inputs) {}
  std::int64_t size() const { return frequencies * frequency; }

 private:
  static constexpr std::int64_t kLine = 16, kLongRow = 128;
};

// v = the tiles [begin, end) of x, transformed, from row 0 of v on; `zeros` stands for what lies outside.
void input_tiles(const WinogradTransforms& transforms, float* v, const TileStreams& streams,
                 const ImageBatch<const float>& x, const TileGrid& grid, std::int64_t pad_top,
                 std::int64_t pad_left, std::int64_t begin, std::int64_t end, const float* zeros);

// y = x convolved with a 3x3 or 5x5 kernel at stride 1: the forward pass, or grad_input with dy as x.
struct WinogradConvolution {
  const WinogradTransforms* transforms;
  ImageBatch<const float> x;
  ImageBatch<float> y;
  std::int64_t pad_top, pad_left;
  const float* weight;  // [y.channels][r][r][x.channels], or, where `adjoint`, [x.channels][r][r][y.channels]
  bool adjoint;         // and its taps are turned by 180 degrees
  const float* bias;
  const float* residual;  // of the shape of y, added after the bias; or nullptr
  bool relu;
  const float* prepared = nullptr;  // the transformed weight, or nullptr
};

void winograd_convolve(const WinogradConvolution& convolution, const KernelTable& table);
// The transformed weight of a convolution of which nothing but weight and shapes are looked at: its floats,
// and itself.
std::int64_t winograd_weight_size(const WinogradConvolution& convolution, const KernelTable& table);
void winograd_prepare_weight(float* u, const WinogradConvolution& convolution, const KernelTable& table);

void conv2d_forward_winograd(float* y, const float* x, const float* weight, const float* bias,
                             const float* residual, bool relu, const Conv2dGeometry& geometry,
                             WinogradTile tile, const float* prepared = nullptr);
std::int64_t transformed_weight_size(const Conv2dGeometry& geometry, WinogradTile tile);
void transform_forward_weight(float* u, const float* weight, const Conv2dGeometry& geometry,
                              WinogradTile tile);
void conv2d_grad_input_winograd(float* dx, const float* dy, const float* weight,
                                const Conv2dGeometry& geometry, WinogradTile tile);
void conv2d_grad_weight_winograd(float* dweight, float* dbias, const float* dy, const float* x,
                                 const Conv2dGeometry& geometry, WinogradTile tile);

}  // namespace receptive::ops
