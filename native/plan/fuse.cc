// SPDX-License-Identifier: Apache-2.0
#include "plan/fuse.h"

#include "plan/layout.h"

namespace receptive::plan {

Fusions fuse(Program* program) {
  Fusions fusions;
  fusions["conv2d + relu"] = fuse_conv_relu(program);
  name_sums(program);
  fusions["copies left out"] = leave_out_copies(program);
  fuse_batch_norm_add(program);
  fuse_batch_norm_relu(program, &fusions);
  fuse_conv_add(program, &fusions);
  fuse_join_gradients(program, &fusions);
  fusions["relu gradient + batchNorm2d gradient"] += fuse_relu_gradient(program);
  fusions["relu gradient at the pooled size"] = pool_before_relu_gradient(program);
  fusions["maxPool2d gradient + conv2d gradients"] = fuse_winner_gradients(program);
  fusions["conv2d + maxPool2d"] = fuse_conv_max_pool(program);
  fusions["conv2d on interleaved images"] = keep_interleaved(program);
  fusions["relu gradient + bias gradient"] = fuse_relu_gradient_sum(program);
  return fusions;
}

}  // namespace receptive::plan
