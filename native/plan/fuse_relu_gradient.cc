// SPDX-License-Identifier: Apache-2.0
// The gradient of a ReLU joins what comes after it on the way back: a batch normalisation whose result went
// two ways, a max pool that stood behind the ReLU, the bias of a convolution.
#include <initializer_list>
#include <utility>

#include "plan/fuse.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

Recorded& at(Program* program, int i) { return program->instructions[static_cast<std::size_t>(i)]; }
int end_of(const Program& program) { return static_cast<int>(program.instructions.size()); }

// Where the operand, which exists in the step only, is written by the one instruction before `user`; else -1.
int only_producer(const Program& program, const Operand& operand, int user) {
  if (!is_internal(program, operand)) return -1;
  const int i = producer(program, operand, user);
  if (i < 0) return -1;
  for (int other = 0; other < end_of(program); ++other) {
    if (other != i && writes(program.instructions[static_cast<std::size_t>(other)], operand)) return -1;
  }
  return i;
}

// The place of the ReLU's gradient whose result is `dz`, or -1.
int relu_gradient(Program* program, const Operand& dz, int user) {
  const int i = only_producer(*program, dz, user);
  return i >= program->once && is(at(program, i), "relu_backward") && same(at(program, i).operands[0], dz)
             ? i
             : -1;
}

// The sum that only the instruction at `user` reads and that may move there, or -1.
int sum_for(Program* program, const Operand& sum, int user) {
  if (uses(*program, sum) != 2) return -1;
  const int i = only_producer(*program, sum, user);
  if (i < program->once || !is(at(program, i), "add") || !same(at(program, i).operands[0], sum)) return -1;
  return may_move(*program, at(program, i), i, user) ? i : -1;
}

}  // namespace

// s <- a + b; dz <- relu's gradient of s; batch norm's gradient of dz, which others read as well: one pass
// reads a and b, leaves dz behind and takes the sums. Without a sum it is worth it where dz has other
// readers.
void fuse_join_gradients(Program* program, Fusions* fusions) {
  int &joined = (*fusions)["residual gradients + relu gradient + batchNorm2d gradient"],
      &plain = (*fusions)["relu gradient + batchNorm2d gradient"];
  for (int j = 0; j < end_of(*program); ++j) {
    const Recorded gradient = at(program, j);
    if (!is(gradient, "batch_norm_backward") || operand_of(gradient, 8).kind != Operand::Kind::kNone)
      continue;
    const Operand dz = operand_of(gradient, 3);
    const int i = relu_gradient(program, dz, j);
    if (i < 0 || varies(*program, j) || !may_move(*program, gradient, j, i)) continue;
    const Recorded relu = at(program, i);
    const int k = sum_for(program, operand_of(relu, 1), i);
    if (k < 0 && uses(*program, dz) == 2) continue;
    Recorded join;
    join.opcode = opcode_named("batch_norm_join_backward");
    join.params = gradient.params;
    join.operands = {operand_of(gradient, 0), operand_of(gradient, 1), operand_of(gradient, 2), dz};
    if (k < 0) {
      join.operands.insert(join.operands.end(), {operand_of(relu, 1), Operand{}});
    } else {
      join.operands.insert(join.operands.end(),
                           {operand_of(at(program, k), 1), operand_of(at(program, k), 2)});
    }
    join.operands.push_back(operand_of(relu, 2));
    for (const std::size_t input : {4u, 5u, 6u, 7u}) join.operands.push_back(operand_of(gradient, input));
    ++(k < 0 ? plain : joined);
    at(program, i) = std::move(join);
    remove_instruction(program, j);
    if (k >= 0) remove_instruction(program, k);
    j = i;
  }
}

// y <- relu; p, winners <- max pool of y; back: dy <- pool's gradient of dp; dz <- relu's gradient of dy at
// y. A winner is p itself, so the ReLU's gradient may come first, at the pooled size, and y is needed no
// more. Where windows overlap, all that have one winner have one p. The bits are the same, those of zeros
// too.
int pool_before_relu_gradient(Program* program) {
  int moved = 0;
  for (int r = program->once; r < end_of(*program); ++r) {
    if (!is(at(program, r), "relu_backward")) continue;
    const Recorded relu = at(program, r);
    const Operand dy = operand_of(relu, 1), y = operand_of(relu, 2);
    const int b = uses(*program, dy) == 2 ? only_producer(*program, dy, r) : -1;
    if (b < program->once || !is(at(program, b), "max_pool2d_backward")) continue;
    const Recorded backward = at(program, b);
    const Operand dp = operand_of(backward, 1), winners = operand_of(backward, 2);
    const int f = only_producer(*program, winners, b);
    if (f < 0 || !is(at(program, f), "max_pool2d_forward")) continue;
    const Recorded& forward = at(program, f);
    const Operand p = operand_of(forward, 0);
    const bool fits = same(operand_of(forward, 2), y) && forward.params == backward.params &&
                      only_producer(*program, p, b) == f && only_producer(*program, y, f) >= 0 &&
                      dp.kind == Operand::Kind::kBuffer && may_move(*program, backward, b, r);
    if (!fits) continue;
    const BufferSpec spec = program->buffers[static_cast<std::size_t>(p.index)];
    const Operand passed = add_buffer(program, spec.size, spec.dtype);
    at(program, b) = Recorded{relu.opcode, {passed, dp, p}, relu.params};
    at(program, r) = Recorded{backward.opcode, {operand_of(relu, 0), passed, winners}, backward.params};
    ++moved;
  }
  return moved;
}

// dz <- relu's gradient; sums <- column sums of dz: one pass.
int fuse_relu_gradient_sum(Program* program) {
  int fused = 0;
  for (int j = 0; j < end_of(*program); ++j) {
    const Recorded sums = at(program, j);
    if (!is(sums, "column_sum")) continue;
    const int i = relu_gradient(program, operand_of(sums, 1), j);
    if (i < 0 || varies(*program, j) || !may_move(*program, sums, j, i)) continue;
    const Recorded relu = at(program, i);
    at(program, i) =
        Recorded{opcode_named("relu_backward_sum"),
                 {operand_of(relu, 0), operand_of(sums, 0), operand_of(relu, 1), operand_of(relu, 2)},
                 sums.params};
    remove_instruction(program, j);
    --j;
    ++fused;
  }
  return fused;
}

}  // namespace receptive::plan
