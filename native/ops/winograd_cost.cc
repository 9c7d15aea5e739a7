// SPDX-License-Identifier: Apache-2.0
#include "ops/winograd_cost.h"

#include <limits>

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
// Its input tiles lie 2 pixels apart and find most of their 36 pixels in the near cache.
constexpr TileCosts kF2Taps5 = {2, 6, 450, 200, 200};

double vectors(std::int64_t channels, int width) {
  return static_cast<double>((channels + width - 1) / width);
}

std::int64_t tiles(const TileCosts& tile, std::int64_t batch, std::int64_t height, std::int64_t width) {
  return TileGrid(batch, height, width, tile.outputs).count;
}

// `of` gives the cost by a tile.
template <typename CostOf>
ConvolutionCosts costs(const Conv2dGeometry& g, double direct, const CostOf& of) {
  if (g.kernel_h == 5) return {direct, of(kF2Taps5), std::numeric_limits<double>::infinity()};
  return {direct, of(kF2), of(kF4)};
}

// What the two kinds of passes have in common: x transformed, y transformed, a product of depth x columns for
// each tile and frequency, and as many kernels.
double cost(const TileCosts& tile, std::int64_t tile_count, double x_vectors, double y_vectors, double depth,
            double columns) {
  const double count = static_cast<double>(tile_count);
  return count * (tile.inputs * tile.inputs * depth * columns + x_vectors * tile.input +
                  y_vectors * tile.output) +
         depth * columns * tile.weight;
}

// y [height][width] from x by products of x_channels terms
ConvolutionCosts convolve_costs(const Conv2dGeometry& g, std::int64_t x_channels, std::int64_t y_channels,
                                std::int64_t height, std::int64_t width, int vector_width) {
  const double in = vectors(x_channels, vector_width), out = vectors(y_channels, vector_width);
  const double depth = static_cast<double>(x_channels);
  const double pixels = static_cast<double>(g.batch * height * width * g.kernel_h * g.kernel_w);
  const auto of = [&](const TileCosts& tile) {
    return cost(tile, tiles(tile, g.batch, height, width), in, out, depth, out);
  };
  return costs(g, pixels * depth * out, of);
}

}  // namespace

ConvolutionCosts forward_costs(const Conv2dGeometry& g, int vector_width) {
  return convolve_costs(g, g.in_c, g.out_c, g.out_h, g.out_w, vector_width);
}

ConvolutionCosts grad_input_costs(const Conv2dGeometry& g, int vector_width) {
  return convolve_costs(g, g.out_c, g.in_c, g.in_h, g.in_w, vector_width);
}

ConvolutionCosts grad_weight_costs(const Conv2dGeometry& g, int vector_width) {
  const double in = vectors(g.in_c, vector_width), out = vectors(g.out_c, vector_width);
  const double direct = static_cast<double>(g.output_pixels() * g.out_c) * vectors(g.patch(), vector_width);
  const auto of = [&](const TileCosts& tile) {
    return cost(tile, tiles(tile, g.batch, g.out_h, g.out_w), in, out, static_cast<double>(g.out_c), in);
  };
  return costs(g, direct, of);
}

}  // namespace receptive::ops
