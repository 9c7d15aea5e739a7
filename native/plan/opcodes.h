// SPDX-License-Identifier: Apache-2.0
// The instruction set: every computation that TypeScript can ask for, by name. Handles come first the
// outputs, then the inputs; parameters are numbers. The layout of each stands beside the function that reads
// it, in plan/<family>.cc.
#pragma once

#include "plan/arguments.h"

// The order gives the codes. They are never written down anywhere else: TypeScript asks the addon for the
// table.
// Columns: name; the operands it writes; the operands that its first output may lie over, where nobody needs
// them any more (each element of the output follows from the elements at the same place, and from sums that
// are complete before the first is written); and whether running it again on the same inputs only writes the
// same outputs again. batch_norm_forward is that if the running statistics are left out.
#define RECEPTIVE_OPCODES(X)                                         \
  /* elementwise.cc */                                               \
  X(fill, at(0), none, kPure)                                        \
  X(copy, at(0), at(1), kPure)                                       \
  X(cast, at(0), none, kPure)                                        \
  X(add, at(0), at(1, 2), kPure)                                     \
  X(multiply, at(0), at(1, 2), kPure)                                \
  X(scale, at(0), at(1), kPure)                                      \
  X(scale_by, at(0), at(1), kPure)                                   \
  X(sum, at(0), none, kPure)                                         \
  X(require_finite, none, none, kOnce)                               \
  X(column_sum, at(0), none, kPure)                                  \
  X(add_bias, at(0), at(1), kPure)                                   \
  X(relu_backward_sum, at(0, 1), at(2, 3), kPure)                    \
  /* activations.cc, as kernels/activation_kernels.h lists them */   \
  X(elu_forward, at(0), at(1), kPure)                                \
  X(elu_backward, at(0), at(1, 2), kPure)                            \
  X(gelu_forward, at(0), at(1), kPure)                               \
  X(gelu_backward, at(0), at(1, 2), kPure)                           \
  X(gelu_tanh_forward, at(0), at(1), kPure)                          \
  X(gelu_tanh_backward, at(0), at(1, 2), kPure)                      \
  X(hardswish_forward, at(0), at(1), kPure)                          \
  X(hardswish_backward, at(0), at(1, 2), kPure)                      \
  X(leaky_relu_forward, at(0), at(1), kPure)                         \
  X(leaky_relu_backward, at(0), at(1, 2), kPure)                     \
  X(relu_forward, at(0), at(1), kPure)                               \
  X(relu_backward, at(0), at(1, 2), kPure)                           \
  X(relu6_forward, at(0), at(1), kPure)                              \
  X(relu6_backward, at(0), at(1, 2), kPure)                          \
  X(sigmoid_forward, at(0), at(1), kPure)                            \
  X(sigmoid_backward, at(0), at(1, 2), kPure)                        \
  X(silu_forward, at(0), at(1), kPure)                               \
  X(silu_backward, at(0), at(1, 2), kPure)                           \
  X(softplus_forward, at(0), at(1), kPure)                           \
  X(softplus_backward, at(0), at(1, 2), kPure)                       \
  X(tanh_forward, at(0), at(1), kPure)                               \
  X(tanh_backward, at(0), at(1, 2), kPure)                           \
  /* prelu.cc */                                                     \
  X(prelu_forward, at(0), at(1), kPure)                              \
  X(prelu_backward, at(0, 1), at(2, 3), kPure)                       \
  /* gemm.cc */                                                      \
  X(matmul, at(0), none, kPure)                                      \
  X(linear_forward, at(0), none, kPure)                              \
  X(linear_grad_input, at(0), none, kPure)                           \
  X(linear_grad_weight, at(0), none, kPure)                          \
  /* conv2d.cc */                                                    \
  X(conv2d_forward, at(0), none, kPure)                              \
  X(prepare_conv2d_weight, at(0), none, kPure)                       \
  X(conv2d_grad_input, at(0), none, kPure)                           \
  X(conv2d_grad_weight, at(0, 1), none, kPure)                       \
  X(im2col, at(0), none, kPure)                                      \
  X(col2im, at(0), none, kPure)                                      \
  /* conv2d_max_pool2d.cc */                                         \
  X(conv2d_max_pool2d, at(0, 1, 2), none, kPure)                     \
  X(conv2d_winner_gradients, at(0, 1, 2), none, kPure)               \
  /* interleave.cc */                                                \
  X(interleave, at(0), none, kPure)                                  \
  X(deinterleave, at(0), none, kPure)                                \
  /* pool2d.cc */                                                    \
  X(max_pool2d_forward, at(0, 1), none, kPure)                       \
  X(max_pool2d_backward, at(0), none, kPure)                         \
  X(avg_pool2d_forward, at(0), none, kPure)                          \
  X(avg_pool2d_backward, at(0), none, kPure)                         \
  X(lp_pool2d_forward, at(0), none, kPure)                           \
  X(lp_pool2d_backward, at(0), none, kPure)                          \
  /* adaptive_pool2d.cc */                                           \
  X(adaptive_max_pool2d_forward, at(0, 1), none, kPure)              \
  X(adaptive_max_pool2d_backward, at(0), none, kPure)                \
  X(adaptive_avg_pool2d_forward, at(0), none, kPure)                 \
  X(adaptive_avg_pool2d_backward, at(0), none, kPure)                \
  /* upsample.cc */                                                  \
  X(upsample_nearest_forward, at(0), none, kPure)                    \
  X(upsample_nearest_backward, at(0), none, kPure)                   \
  X(upsample_bilinear_forward, at(0), none, kPure)                   \
  X(upsample_bilinear_backward, at(0), none, kPure)                  \
  /* global_avg_pool.cc */                                           \
  X(global_avg_pool_forward, at(0), none, kPure)                     \
  X(global_avg_pool_backward, at(0), none, kPure)                    \
  /* batch_norm.cc */                                                \
  X(batch_norm_forward, at(0, 1, 2, 3, 4), at(5, 8), kPure)          \
  X(batch_norm_eval, at(0, 1, 2), at(3, 8), kPure)                   \
  X(batch_norm_backward, at(0, 1, 2), at(3, 4, 8), kPure)            \
  X(batch_norm_join_backward, at(0, 1, 2, 3), at(4, 5, 6, 7), kPure) \
  /* group_norm.cc */                                                \
  X(group_norm_forward, at(0, 1, 2), at(3), kPure)                   \
  X(group_norm_backward, at(0, 1, 2), at(3, 4), kPure)               \
  X(layer_norm_forward, at(0, 1, 2), at(3), kPure)                   \
  X(layer_norm_backward, at(0, 1, 2), at(3, 4), kPure)               \
  /* local_response_norm.cc */                                       \
  X(local_response_norm_forward, at(0), at(1), kPure)                \
  X(local_response_norm_backward, at(0), at(1, 2), kPure)            \
  X(map_response_norm_forward, at(0), none, kPure)                   \
  X(map_response_norm_backward, at(0), none, kPure)                  \
  /* fold_batch_norm.cc */                                           \
  X(fold_batch_norm, at(0, 1), none, kPure)                          \
  /* copy_columns.cc */                                              \
  X(copy_columns, at(0), none, kOnce)                                \
  X(increment, at(0), none, kOnce)                                   \
  /* softmax.cc */                                                   \
  X(softmax_forward, at(0), none, kPure)                             \
  X(softmax_backward, at(0), none, kPure)                            \
  X(log_softmax_forward, at(0), at(1), kPure)                        \
  X(log_softmax_backward, at(0), at(1, 2), kPure)                    \
  /* cross_entropy.cc */                                             \
  X(softmax_cross_entropy, at(0, 1), none, kPure)                    \
  X(soft_cross_entropy, at(0, 1, 2), none, kPure)                    \
  X(scale_rows, at(0), at(1), kPure)                                 \
  /* pointwise_loss.cc */                                            \
  X(pointwise_loss, at(0, 1, 2), none, kPure)                        \
  /* classify.cc */                                                  \
  X(argmax, at(0), none, kPure)                                      \
  X(count_equal, at(0), none, kPure)                                 \
  X(label_rank, at(0), none, kPure)                                  \
  X(confidence, at(0), none, kPure)                                  \
  X(one_hot, at(0), none, kPure)                                     \
  /* random.cc */                                                    \
  X(random_uniform, at(0), none, kPure)                              \
  X(random_normal, at(0), none, kPure)                               \
  X(random_permutation, at(0), none, kPure)                          \
  X(dropout, at(0), at(1), kPure)                                    \
  X(dropout_groups, at(0), at(1), kPure)                             \
  /* updates.cc */                                                   \
  X(sgd_update, at(0, 2), none, kOnce)                               \
  X(adam_update, at(0, 2, 3, 4), none, kOnce)                        \
  X(rmsprop_update, at(0, 2, 3, 4), none, kOnce)                     \
  X(adagrad_update, at(0, 2), none, kOnce)                           \
  X(lion_update, at(0, 2), none, kOnce)                              \
  X(ema_update, at(0), none, kOnce)                                  \
  /* clip.cc */                                                      \
  X(square_sum, at(0), none, kOnce)                                  \
  X(norm, at(0), none, kPure)                                        \
  X(clip, at(0), none, kOnce)                                        \
  /* gather.cc */                                                    \
  X(gather_images, at(0), none, kPure)                               \
  X(gather_file, at(0), none, kPure)                                 \
  X(gather_labels, at(0), none, kPure)                               \
  /* shift_images.cc */                                              \
  X(shift_images, at(0), none, kPure)                                \
  /* augment.cc */                                                   \
  X(flip_images, at(0), none, kPure)                                 \
  X(crop_images, at(0), none, kPure)                                 \
  X(cut_out, at(0), none, kPure)                                     \
  X(warp_affine, at(0), none, kPure)                                 \
  X(warp_elastic, at(0), none, kPure)                                \
  X(jitter_colours, at(0), none, kPure)                              \
  X(rand_augment, at(0), none, kPure)                                \
  X(mix_images, at(0), none, kPure)                                  \
  X(mix_labels, at(0), none, kPure)

namespace receptive::plan {

#define RECEPTIVE_DECLARE(name, writes, overwrites, repeat) Status name(const Arguments& args);
RECEPTIVE_OPCODES(RECEPTIVE_DECLARE)
#undef RECEPTIVE_DECLARE

}  // namespace receptive::plan
