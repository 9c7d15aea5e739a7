// SPDX-License-Identifier: Apache-2.0
#include "ops/conv2d_algorithm.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/conv2d_depthwise.h"
#include "ops/conv2d_interleaved.h"
#include "ops/interleave.h"
#include "ops/reduce.h"
#include "ops/winograd.h"
#include "ops/winograd_cost.h"

namespace receptive::ops {
namespace {

// grad_input by taps has its vectors along inC: with fewer channels than this they are nearly empty.
constexpr std::int64_t kMinTapChannels = 16;  // a full AVX-512 vector
// With fewer channels than this Winograd's transforms cost more than the products they save.
constexpr std::int64_t kMinWinogradChannels = 16;

// Whether vectors along the images pay. Those along the channels need a whole AVX-512 vector of them; lanes
// without an image compute for nothing, up to a quarter of them less than what few channels waste.
bool is_for_lanes(const Conv2dGeometry& g) {
  constexpr std::int64_t kFewChannels = 16;
  if (g.groups > 1 || g.is_dilated()) return false;
  return g.in_c < kFewChannels && g.out_c <= kFewChannels && 4 * g.batch >= 3 * blocks_of(g.batch) * kLanes;
}

// One channel, and few enough output channels that a tile takes them all.
bool is_plane(const Conv2dGeometry& g, const GemmKernels& gemm) {
  return g.in_c == 1 && g.stride_w == 1 && gemm.vector_width > 1 && g.out_c < gemm.vector_width &&
         g.out_c <= gemm.rows_by_vecs[1];
}

// The one whose vectors are less empty: along a kernel row's inputs, or along the output channels.
bool is_transposed_better(const Conv2dGeometry& g, const KernelTable& table) {
  const auto whole_vectors = [&](std::int64_t floats) {
    const std::int64_t width = table.gemm->vector_width;
    return (floats + width - 1) / width * width;
  };
  const std::int64_t direct = g.kernel_h * whole_vectors(g.kernel_w * g.in_c) * g.out_c;
  const std::int64_t transposed = g.patch() * whole_vectors(g.out_c);
  return g.in_c < kMinTapChannels && transposed < direct;
}

// What Algorithm calls Winograd's tile for this kernel that has m x m outputs.
template <typename Algorithm>
Algorithm winograd(bool is_f4, const Conv2dGeometry& g) {
  if (is_f4) return Algorithm::kWinogradF4;
  return g.kernel_h == 5 ? Algorithm::kWinogradF2Taps5 : Algorithm::kWinogradF2;
}

// Winograd's algorithm where it was asked for or is cheaper, else `otherwise`.
template <typename Algorithm>
Algorithm decide(Conv2dChoice choice, const Conv2dGeometry& g, Algorithm otherwise,
                 ConvolutionCosts (*costs_of)(const Conv2dGeometry& g, int vector_width), int vector_width) {
  const bool is_open = choice == Conv2dChoice::kAuto && is_winograd_shape(g) &&
                       std::min(g.in_c, g.out_c) >= kMinWinogradChannels;
  if (choice == Conv2dChoice::kDirect || (choice == Conv2dChoice::kAuto && !is_open)) return otherwise;
  if (choice == Conv2dChoice::kWinogradF2 || choice == Conv2dChoice::kWinogradF4)
    return winograd<Algorithm>(choice == Conv2dChoice::kWinogradF4, g);
  const ConvolutionCosts costs = costs_of(g, vector_width);
  if (is_open && costs.direct <= std::min(costs.f2, costs.f4)) return otherwise;
  return winograd<Algorithm>(costs.f4 <= costs.f2, g);
}

}  // namespace

bool can_choose(Conv2dChoice choice, const Conv2dGeometry& g) {
  if (choice < Conv2dChoice::kWinograd) return true;
  return is_winograd_shape(g) && !(choice == Conv2dChoice::kWinogradF4 && g.kernel_h == 5);
}

ForwardAlgorithm forward_algorithm(const Conv2dGeometry& g, const KernelTable& table, Conv2dChoice choice) {
  if (g.groups > 1)
    return is_for_depthwise(g, table) ? ForwardAlgorithm::kDepthwise : ForwardAlgorithm::kDirect;
  if (choice == Conv2dChoice::kAuto && is_for_lanes(g)) return ForwardAlgorithm::kInterleaved;
  const ForwardAlgorithm otherwise =
      is_plane(g, *table.gemm) ? ForwardAlgorithm::kPlane : ForwardAlgorithm::kDirect;
  return decide(choice, g, otherwise, forward_costs, table.gemm->vector_width);
}

GradInputAlgorithm grad_input_algorithm(const Conv2dGeometry& g, const KernelTable& table,
                                        Conv2dChoice choice, const PoolWindow& pool) {
  if (g.groups > 1)
    return is_for_depthwise(g, table) ? GradInputAlgorithm::kDepthwise : GradInputAlgorithm::kDirect;
  if (choice == Conv2dChoice::kAuto && is_for_winners(g, pool)) return GradInputAlgorithm::kWinners;
  if (choice == Conv2dChoice::kAuto && is_for_lanes(g)) return GradInputAlgorithm::kInterleaved;
  const GradInputAlgorithm otherwise =
      g.in_c >= kMinTapChannels ? GradInputAlgorithm::kDirect : GradInputAlgorithm::kColumns;
  return decide(choice, g, otherwise, grad_input_costs, table.gemm->vector_width);
}

GradWeightAlgorithm grad_weight_algorithm(const Conv2dGeometry& g, const KernelTable& table,
                                          Conv2dChoice choice, const PoolWindow& pool) {
  if (g.groups > 1)
    return is_for_depthwise_gradient(g, table) ? GradWeightAlgorithm::kDepthwise
                                               : GradWeightAlgorithm::kDirect;
  if (choice == Conv2dChoice::kAuto && is_for_winners(g, pool)) return GradWeightAlgorithm::kWinners;
  if (choice == Conv2dChoice::kAuto && is_for_lanes(g)) return GradWeightAlgorithm::kInterleaved;
  const GradWeightAlgorithm otherwise =
      is_transposed_better(g, table) ? GradWeightAlgorithm::kTransposed : GradWeightAlgorithm::kDirect;
  return decide(choice, g, otherwise, grad_weight_costs, table.gemm->vector_width);
}

// Groups are written one beside the other; one channel may be a plane where another instruction set computes
// directly.
bool adds_residual(const Conv2dGeometry& g, const KernelTable& table, Conv2dChoice choice) {
  switch (forward_algorithm(g, table, choice)) {
    case ForwardAlgorithm::kDirect:
    case ForwardAlgorithm::kWinogradF2:
    case ForwardAlgorithm::kWinogradF4:
    case ForwardAlgorithm::kWinogradF2Taps5:
      return g.in_c > 1 && g.groups == 1;
    default:
      return false;
  }
}

const char* name_of(ForwardAlgorithm algorithm) {
  switch (algorithm) {
    case ForwardAlgorithm::kDirect:
      return "direct";
    case ForwardAlgorithm::kPlane:
      return "plane";
    case ForwardAlgorithm::kInterleaved:
      return "interleaved";
    case ForwardAlgorithm::kDepthwise:
      return "depthwise";
    case ForwardAlgorithm::kWinogradF2:
      return "winograd F(2x2, 3x3)";
    case ForwardAlgorithm::kWinogradF4:
      return "winograd F(4x4, 3x3)";
    case ForwardAlgorithm::kWinogradF2Taps5:
      return "winograd F(2x2, 5x5)";
  }
  return "";
}

const char* name_of(GradInputAlgorithm algorithm) {
  switch (algorithm) {
    case GradInputAlgorithm::kDirect:
      return "direct";
    case GradInputAlgorithm::kColumns:
      return "columns";
    case GradInputAlgorithm::kInterleaved:
      return "interleaved";
    case GradInputAlgorithm::kWinners:
      return "winners";
    case GradInputAlgorithm::kDepthwise:
      return "depthwise";
    case GradInputAlgorithm::kWinogradF2:
      return "winograd F(2x2, 3x3)";
    case GradInputAlgorithm::kWinogradF4:
      return "winograd F(4x4, 3x3)";
    case GradInputAlgorithm::kWinogradF2Taps5:
      return "winograd F(2x2, 5x5)";
  }
  return "";
}

const char* name_of(GradWeightAlgorithm algorithm) {
  switch (algorithm) {
    case GradWeightAlgorithm::kDirect:
      return "direct";
    case GradWeightAlgorithm::kTransposed:
      return "transposed";
    case GradWeightAlgorithm::kInterleaved:
      return "interleaved";
    case GradWeightAlgorithm::kWinners:
      return "winners";
    case GradWeightAlgorithm::kDepthwise:
      return "depthwise";
    case GradWeightAlgorithm::kWinogradF2:
      return "winograd F(2x2, 3x3)";
    case GradWeightAlgorithm::kWinogradF4:
      return "winograd F(4x4, 3x3)";
    case GradWeightAlgorithm::kWinogradF2Taps5:
      return "winograd F(2x2, 5x5)";
  }
  return "";
}

void conv2d_forward(float* y, const float* x, const float* weight, const float* bias, const float* residual,
                    bool relu, const Conv2dGeometry& g, Conv2dChoice choice, const float* prepared) {
  switch (forward_algorithm(g, kernels(), choice)) {
    case ForwardAlgorithm::kDirect:
      return g.groups > 1 ? conv2d_forward_groups(y, x, weight, bias, relu, g)
                          : conv2d_forward_direct(y, x, weight, bias, residual, relu, g, prepared);
    case ForwardAlgorithm::kPlane:
      return conv2d_forward_plane(y, x, weight, bias, relu, g);
    case ForwardAlgorithm::kInterleaved:
      return conv2d_forward_through_lanes(y, x, weight, bias, relu, g);
    case ForwardAlgorithm::kDepthwise:
      return conv2d_forward_depthwise(y, x, weight, bias, relu, g);
    case ForwardAlgorithm::kWinogradF2:
      return conv2d_forward_winograd(y, x, weight, bias, residual, relu, g, WinogradTile::kF2, prepared);
    case ForwardAlgorithm::kWinogradF4:
      return conv2d_forward_winograd(y, x, weight, bias, residual, relu, g, WinogradTile::kF4, prepared);
    case ForwardAlgorithm::kWinogradF2Taps5:
      return conv2d_forward_winograd(y, x, weight, bias, residual, relu, g, WinogradTile::kF2Taps5, prepared);
  }
}

void conv2d_grad_input(float* dx, const float* dy, const float* weight, const Conv2dGeometry& g,
                       Conv2dChoice choice, const PoolWindow& pool) {
  switch (grad_input_algorithm(g, kernels(), choice, pool)) {
    case GradInputAlgorithm::kDirect:
      return g.groups > 1 ? conv2d_grad_input_groups(dx, dy, weight, g)
                          : conv2d_grad_input_direct(dx, dy, weight, g);
    case GradInputAlgorithm::kColumns:
      return conv2d_grad_input_columns(dx, dy, weight, g);
    case GradInputAlgorithm::kInterleaved:
      return conv2d_grad_input_through_lanes(dx, dy, weight, g);
    case GradInputAlgorithm::kWinners:
      return conv2d_winner_gradients({dx, nullptr, nullptr, dy, nullptr, nullptr, weight}, g, pool);
    case GradInputAlgorithm::kDepthwise:
      return conv2d_grad_input_depthwise(dx, dy, weight, g);
    case GradInputAlgorithm::kWinogradF2:
      return conv2d_grad_input_winograd(dx, dy, weight, g, WinogradTile::kF2);
    case GradInputAlgorithm::kWinogradF4:
      return conv2d_grad_input_winograd(dx, dy, weight, g, WinogradTile::kF4);
    case GradInputAlgorithm::kWinogradF2Taps5:
      return conv2d_grad_input_winograd(dx, dy, weight, g, WinogradTile::kF2Taps5);
  }
}

void conv2d_grad_weight(float* dweight, float* dbias, const float* dy, const float* x,
                        const Conv2dGeometry& g, Conv2dChoice choice, const PoolWindow& pool) {
  switch (grad_weight_algorithm(g, kernels(), choice, pool)) {
    case GradWeightAlgorithm::kDirect:
      g.groups > 1 ? conv2d_grad_weight_groups(dweight, dy, x, g)
                   : conv2d_grad_weight_direct(dweight, dy, x, g);
      break;
    case GradWeightAlgorithm::kTransposed:
      conv2d_grad_weight_transposed(dweight, dy, x, g);
      break;
    case GradWeightAlgorithm::kInterleaved:
      return conv2d_grad_weight_through_lanes(dweight, dbias, dy, x, g);
    case GradWeightAlgorithm::kWinners:
      return conv2d_winner_gradients({nullptr, dweight, dbias, dy, nullptr, x, nullptr}, g, pool);
    case GradWeightAlgorithm::kDepthwise:
      conv2d_grad_weight_depthwise(dweight, dy, x, g);
      break;
    case GradWeightAlgorithm::kWinogradF2:
      return conv2d_grad_weight_winograd(dweight, dbias, dy, x, g, WinogradTile::kF2);
    case GradWeightAlgorithm::kWinogradF4:
      return conv2d_grad_weight_winograd(dweight, dbias, dy, x, g, WinogradTile::kF4);
    case GradWeightAlgorithm::kWinogradF2Taps5:
      return conv2d_grad_weight_winograd(dweight, dbias, dy, x, g, WinogradTile::kF2Taps5);
  }
  if (dbias != nullptr) column_sum(dbias, dy, g.output_pixels(), g.out_c);
}

}  // namespace receptive::ops
