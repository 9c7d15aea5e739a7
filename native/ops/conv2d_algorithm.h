// SPDX-License-Identifier: Apache-2.0
// Which way a pass of a convolution is computed: decided here, and here only, by the pass, the geometry and
// the kernel table in use, so that the same call takes the same way on every run.
#pragma once

#include "kernels/kernel_table.h"
#include "ops/conv2d.h"
#include "ops/conv2d_winners.h"

namespace receptive::ops {

// What the caller asks for. The plain ones decide by a cost model; kWinograd takes the cheaper of the
// tiles that there are for the kernel: 2x2 and 4x4 outputs for 3x3 taps, 2x2 for 5x5.
enum class Conv2dChoice { kAuto, kDirect, kWinograd, kWinogradF2, kWinogradF4, kCount };

enum class ForwardAlgorithm {
  kDirect,       // batch-reduce GEMM, rows of A point into x (conv2d_forward.cc)
  kPlane,        // vectors along the pixels of an image of one channel (conv2d_forward_plane.cc)
  kInterleaved,  // vectors along the images (conv2d_interleaved.h)
  kDepthwise,    // few channels a group, each a lane with taps of its own (conv2d_depthwise.h)
  kWinogradF2,   // a quarter to a half of the products (conv2d_forward_winograd.cc)
  kWinogradF4,
  kWinogradF2Taps5,
};

enum class GradInputAlgorithm {
  kDirect,   // batch-reduce GEMM, rows of A point into dy, a problem per stride phase
  kColumns,  // the gradient of the patch matrix, added back to the image (col2im)
  kInterleaved,
  kWinners,  // of the gradients behind a max pool only the nonzero ones (conv2d_winners.h)
  kDepthwise,
  kWinogradF2,
  kWinogradF4,
  kWinogradF2Taps5,
};

enum class GradWeightAlgorithm {
  kDirect,      // dyᵀ · patches (conv2d_grad_weight.cc)
  kTransposed,  // patchesᵀ · dy, for few input channels (conv2d_grad_weight_transposed.cc)
  kInterleaved,
  kWinners,
  kDepthwise,
  kWinogradF2,
  kWinogradF4,
  kWinogradF2Taps5,
};

// Whether the choice can be met: Winograd's algorithm only where there is such a tile for the kernel.
bool can_choose(Conv2dChoice choice, const Conv2dGeometry& geometry);

ForwardAlgorithm forward_algorithm(const Conv2dGeometry& geometry, const KernelTable& table,
                                   Conv2dChoice choice);
// `pool` is the max pool that the gradient came through, if it came through one.
GradInputAlgorithm grad_input_algorithm(const Conv2dGeometry& geometry, const KernelTable& table,
                                        Conv2dChoice choice, const PoolWindow& pool);
GradWeightAlgorithm grad_weight_algorithm(const Conv2dGeometry& geometry, const KernelTable& table,
                                          Conv2dChoice choice, const PoolWindow& pool);

// Whether the forward pass can add a residual to its result, on whatever instruction set it runs.
bool adds_residual(const Conv2dGeometry& geometry, const KernelTable& table, Conv2dChoice choice);

// What a user reads: "direct", "winograd F(4x4, 3x3)".
const char* name_of(ForwardAlgorithm algorithm);
const char* name_of(GradInputAlgorithm algorithm);
const char* name_of(GradWeightAlgorithm algorithm);

// Groups of many channels, one problem a group with the algorithm kDirect (conv2d_groups.cc).
void conv2d_forward_groups(float* y, const float* x, const float* weight, const float* bias, bool relu,
                           const Conv2dGeometry& geometry);
void conv2d_grad_input_groups(float* dx, const float* dy, const float* weight,
                              const Conv2dGeometry& geometry);
void conv2d_grad_weight_groups(float* dweight, const float* dy, const float* x,
                               const Conv2dGeometry& geometry);

// The ways themselves. Arguments as in ops/conv2d.h.
void conv2d_forward_direct(float* y, const float* x, const float* weight, const float* bias,
                           const float* residual, bool relu, const Conv2dGeometry& geometry,
                           const float* prepared = nullptr);
std::int64_t packed_weight_size(const Conv2dGeometry& geometry);
void pack_forward_weight(float* packed, const float* weight, const Conv2dGeometry& geometry);
void conv2d_forward_plane(float* y, const float* x, const float* weight, const float* bias, bool relu,
                          const Conv2dGeometry& geometry);
void conv2d_grad_input_direct(float* dx, const float* dy, const float* weight,
                              const Conv2dGeometry& geometry);
void conv2d_grad_input_columns(float* dx, const float* dy, const float* weight,
                               const Conv2dGeometry& geometry);
void conv2d_grad_weight_direct(float* dweight, const float* dy, const float* x,
                               const Conv2dGeometry& geometry);
void conv2d_grad_weight_transposed(float* dweight, const float* dy, const float* x,
                                   const Conv2dGeometry& geometry);

}  // namespace receptive::ops
