// SPDX-License-Identifier: Apache-2.0
// Which way a pass of a convolution is computed: decided here, and here only, by the pass, the geometry and
// the kernel table in use, so that the same call takes the same way on every run.
#pragma once

#include "kernels/kernel_table.h"
#include "ops/conv2d.h"

namespace receptive::ops {

enum class ForwardAlgorithm {
  kDirect,       // batch-reduce GEMM, rows of A point into x (conv2d_forward.cc)
  kPlane,        // vectors along the pixels of an image of one channel (conv2d_forward_plane.cc)
  kInterleaved,  // vectors along the images (conv2d_interleaved.h)
};

enum class GradInputAlgorithm {
  kDirect,   // batch-reduce GEMM, rows of A point into dy, a problem per stride phase
  kColumns,  // the gradient of the patch matrix, added back to the image (col2im)
  kInterleaved,
};

enum class GradWeightAlgorithm {
  kDirect,      // dyᵀ · patches (conv2d_grad_weight.cc)
  kTransposed,  // patchesᵀ · dy, for few input channels (conv2d_grad_weight_transposed.cc)
  kInterleaved,
};

ForwardAlgorithm forward_algorithm(const Conv2dGeometry& geometry, const KernelTable& table);
GradInputAlgorithm grad_input_algorithm(const Conv2dGeometry& geometry, const KernelTable& table);
GradWeightAlgorithm grad_weight_algorithm(const Conv2dGeometry& geometry, const KernelTable& table);

// Their names, as a profile shows them.
const char* name_of(ForwardAlgorithm algorithm);
const char* name_of(GradInputAlgorithm algorithm);
const char* name_of(GradWeightAlgorithm algorithm);

// The ways themselves. Arguments as in ops/conv2d.h.
void conv2d_forward_direct(float* y, const float* x, const float* weight, const float* bias, bool relu,
                           const Conv2dGeometry& geometry);
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
