// SPDX-License-Identifier: Apache-2.0
// What a pass costs directly and by Winograd's algorithm, so that the choice follows from shape and vector
// width alone.
#pragma once

#include "ops/conv2d.h"
#include "ops/winograd.h"

namespace receptive::ops {

// In vector multiply-adds of the GEMM tile.
struct ConvolutionCosts {
  double direct, f2, f4;
};

// The forward pass, and grad_input with its two images exchanged.
ConvolutionCosts convolve_costs(std::int64_t batch, std::int64_t x_channels, std::int64_t y_channels,
                                std::int64_t y_height, std::int64_t y_width, int vector_width);
ConvolutionCosts grad_weight_costs(const Conv2dGeometry& geometry, int vector_width);

}  // namespace receptive::ops
