// SPDX-License-Identifier: Apache-2.0
#include "plan/fuse.h"

#include "plan/layout.h"
#include "plan/parameters.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

// conv2d_forward y; relu_forward z <- y: where nobody else looks at y, the convolution writes z. The tile's
// epilogue computes max(0, value + bias), which is what the two instructions compute.
int fuse_conv_relu(Program* program) {
  int fused = 0;
  for (int i = 0; i + 1 < static_cast<int>(program->instructions.size()); ++i) {
    Recorded& conv = program->instructions[static_cast<std::size_t>(i)];
    const Recorded& relu = program->instructions[static_cast<std::size_t>(i) + 1];
    if (!is(conv, "conv2d_forward") || !is(relu, "relu_forward") ||
        !same(operand_of(relu, 1), operand_of(conv, 0)))
      continue;
    if (!is_internal(*program, operand_of(conv, 0)) || uses(*program, conv.operands[0]) != 2) continue;
    conv.operands[0] = operand_of(relu, 0);
    set_param(&conv, kConvRelu, 1.0);
    remove_instruction(program, i + 1);
    ++fused;
  }
  return fused;
}

}  // namespace

Fusions fuse(Program* program) {
  Fusions fusions;
  fusions["conv2d + relu"] = fuse_conv_relu(program);
  name_sums(program);
  fusions["copies left out"] = leave_out_copies(program);
  fuse_batch_norm_add(program);
  fuse_batch_norm_relu(program, &fusions);
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
