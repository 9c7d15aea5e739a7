// SPDX-License-Identifier: Apache-2.0
// The gradient of a max pool and those of the convolution before it: nearly all of the gradient between them
// is zero, and is not written.
#include <utility>

#include "ops/conv2d_algorithm.h"
#include "plan/algorithms.h"
#include "plan/conv2d.h"
#include "plan/execute.h"
#include "plan/fuse.h"
#include "plan/parameters.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

// Whether the instruction takes its gradients from this pool, and only the winners among them.
bool goes_by_winners(const Recorded& gradient, const Recorded& pool) {
  if (gradient.params.size() < kConvPool + 4 || gradient.params[kConvChoice] != 0) return false;
  for (std::size_t p = 0; p < 4; ++p) {
    if (gradient.params[kConvPool + p] != pool.params[kPoolWindowParam + p]) return false;
  }
  const Arguments args(nullptr, 0, gradient.params.data(), static_cast<int>(gradient.params.size()));
  Conv2dGeometry g;
  ops::Conv2dChoice choice;
  return read_convolution(args, &g, &choice).ok() && ops::is_for_winners(g, pool_window(args));
}

// Of the instructions that read dy: the two gradients of the convolution, -1 where there is none. False if
// others read it.
struct Readers {
  int grad_input = -1, grad_weight = -1;

  bool find(const Program& program, const Operand& dy, int after) {
    for (int i = after + 1; i < static_cast<int>(program.instructions.size()); ++i) {
      const Recorded& reader = program.instructions[static_cast<std::size_t>(i)];
      if (!touches(reader, dy)) continue;
      if (is(reader, "conv2d_grad_input") && same(operand_of(reader, 1), dy) && grad_input < 0) {
        grad_input = i;
      } else if (is(reader, "conv2d_grad_weight") && same(operand_of(reader, 2), dy) && grad_weight < 0) {
        grad_weight = i;
      } else {
        return false;
      }
    }
    return grad_weight >= 0;
  }
};

}  // namespace

// dy <- max pool's gradient of dz; dx <- and dweight, dbias <- convolution's gradients of dy: where nobody
// else looks at dy, one instruction goes from dz to all of them.
int fuse_winner_gradients(Program* program) {
  int fused = 0;
  for (int p = program->once; p < static_cast<int>(program->instructions.size()); ++p) {
    const Recorded pool = program->instructions[static_cast<std::size_t>(p)];
    const Operand dy = operand_of(pool, 0), dz = operand_of(pool, 1), winners = operand_of(pool, 2);
    if (!is(pool, "max_pool2d_backward") || !is_internal(*program, dy) || pool.params.size() < kPoolParams)
      continue;
    if (program->buffers[static_cast<std::size_t>(dy.index)].dtype != Dtype::kFloat32) continue;
    Readers readers;
    if (producer(*program, dy, static_cast<int>(program->instructions.size())) != p ||
        !readers.find(*program, dy, p))
      continue;
    const int w = readers.grad_weight, x = readers.grad_input;
    const Recorded weight = program->instructions[static_cast<std::size_t>(w)];
    if (!goes_by_winners(weight, pool) || varies(*program, w) || varies(*program, p)) continue;
    Recorded both = weight;
    both.opcode = opcode_named("conv2d_winner_gradients");
    both.operands = {
        Operand{}, operand_of(weight, 0), operand_of(weight, 1), dz, winners, operand_of(weight, 3),
        Operand{}};
    set_param(&both, kConvGradients, x >= 0 ? 2.0 : 1.0);
    if (x >= 0) {
      const Recorded input = program->instructions[static_cast<std::size_t>(x)];
      if (x > w || input.params != weight.params || varies(*program, x) || !may_move(*program, input, x, w))
        continue;
      both.operands[0] = operand_of(input, 0);
      both.operands[6] = operand_of(input, 2);
    }
    Recorded reads = pool;  // dy, which the gradients in between read, is not written any more
    reads.operands[0] = Operand{};
    if (!may_move(*program, reads, p, w)) continue;
    program->instructions[static_cast<std::size_t>(w)] = std::move(both);
    if (x >= 0) remove_instruction(program, x);
    remove_instruction(program, p);
    --p;
    ++fused;
  }
  return fused;
}

}  // namespace receptive::plan
