// SPDX-License-Identifier: Apache-2.0
#include "ops/winograd_cost.h"

namespace receptive::ops {
namespace {

// Multiply-adds that take as long as one vector of channels of one tile (of one kernel, for the weight)
// through a transform. Zen 4, AVX-512, from profiles of 16 to 256 channels; they rise by half where images
// come from memory.
struct TileCosts {
  int outputs, inputs;
  double input, output, weight;
};
constexpr TileCosts kF2 = {2, 4, 250, 170, 70};
constexpr TileCosts kF4 = {4, 6, 600, 400, 150};

std::int64_t vectors(std::int64_t channels, int width) { return (channels + width - 1) / width; }

std::int64_t tiles(const TileCosts& tile, std::int64_t batch, std::int64_t height, std::int64_t width) {
  return TileGrid(batch, height, width, tile.outputs).count;
}

double convolve_cost(const TileCosts& tile, std::int64_t batch, std::int64_t x_channels,
                     std::int64_t y_channels, std::int64_t height, std::int64_t width, int vector_width) {
  const double count = static_cast<double>(tiles(tile, batch, height, width));
  const double depth = static_cast<double>(x_channels);
  const double in = static_cast<double>(vectors(x_channels, vector_width));
  const double out = static_cast<double>(vectors(y_channels, vector_width));
  return count * (tile.inputs * tile.inputs * depth * out + in * tile.input + out * tile.output) +
         depth * out * tile.weight;
}

double grad_weight_cost(const TileCosts& tile, const Conv2dGeometry& g, int vector_width) {
  const double count = static_cast<double>(tiles(tile, g.batch, g.out_h, g.out_w));
  const double depth = static_cast<double>(g.out_c);
  const double in = static_cast<double>(vectors(g.in_c, vector_width));
  const double out = static_cast<double>(vectors(g.out_c, vector_width));
  return count * (tile.inputs * tile.inputs * depth * in + in * tile.input + out * tile.output) +
         depth * in * tile.weight;
}

}  // namespace

ConvolutionCosts convolve_costs(std::int64_t batch, std::int64_t x_channels, std::int64_t y_channels,
                                std::int64_t y_height, std::int64_t y_width, int vector_width) {
  const double direct =
      static_cast<double>(batch * y_height * y_width * 9 * x_channels * vectors(y_channels, vector_width));
  return {direct, convolve_cost(kF2, batch, x_channels, y_channels, y_height, y_width, vector_width),
          convolve_cost(kF4, batch, x_channels, y_channels, y_height, y_width, vector_width)};
}

ConvolutionCosts grad_weight_costs(const Conv2dGeometry& g, int vector_width) {
  const double direct = static_cast<double>(g.output_pixels() * g.out_c * vectors(g.patch(), vector_width));
  return {direct, grad_weight_cost(kF2, g, vector_width), grad_weight_cost(kF4, g, vector_width)};
}

}  // namespace receptive::ops
