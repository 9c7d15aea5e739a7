// SPDX-License-Identifier: Apache-2.0
// The instruction set: every computation that TypeScript can ask for, by name. Handles come first the
// outputs, then the inputs; parameters are numbers. The layout of each stands beside the function that reads
// it, in plan/<family>.cc.
#pragma once

#include "plan/arguments.h"

// The order gives the codes. They are never written down anywhere else: TypeScript asks the addon for the
// table.
#define RECEPTIVE_OPCODES(X)  \
  /* elementwise.cc */        \
  X(fill)                     \
  X(copy)                     \
  X(cast)                     \
  X(add)                      \
  X(multiply)                 \
  X(scale)                    \
  X(scale_by)                 \
  X(sum)                      \
  X(require_finite)           \
  X(column_sum)               \
  X(relu_forward)             \
  X(relu_backward)            \
  X(tanh_forward)             \
  X(tanh_backward)            \
  X(sigmoid_forward)          \
  X(sigmoid_backward)         \
  /* gemm.cc */               \
  X(matmul)                   \
  X(linear_forward)           \
  X(linear_grad_input)        \
  X(linear_grad_weight)       \
  /* conv2d.cc */             \
  X(conv2d_forward)           \
  X(conv2d_grad_input)        \
  X(conv2d_grad_weight)       \
  X(im2col)                   \
  X(col2im)                   \
  /* pool2d.cc */             \
  X(max_pool2d_forward)       \
  X(max_pool2d_backward)      \
  X(avg_pool2d_forward)       \
  X(avg_pool2d_backward)      \
  X(lp_pool2d_forward)        \
  X(lp_pool2d_backward)       \
  /* global_avg_pool.cc */    \
  X(global_avg_pool_forward)  \
  X(global_avg_pool_backward) \
  /* batch_norm.cc */         \
  X(batch_norm_forward)       \
  X(batch_norm_eval)          \
  X(batch_norm_backward)      \
  /* copy_columns.cc */       \
  X(copy_columns)             \
  X(increment)                \
  /* softmax.cc */            \
  X(softmax_forward)          \
  X(softmax_backward)         \
  X(softmax_cross_entropy)    \
  X(argmax)                   \
  X(count_equal)              \
  /* random.cc */             \
  X(random_uniform)           \
  X(random_normal)            \
  X(random_permutation)       \
  X(dropout)                  \
  /* optimizer.cc */          \
  X(sgd_update)               \
  X(adam_update)              \
  /* gather.cc */             \
  X(gather_images)            \
  X(gather_labels)

namespace receptive::plan {

#define RECEPTIVE_DECLARE(name) Status name(const Arguments& args);
RECEPTIVE_OPCODES(RECEPTIVE_DECLARE)
#undef RECEPTIVE_DECLARE

}  // namespace receptive::plan
