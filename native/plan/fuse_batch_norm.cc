// SPDX-License-Identifier: Apache-2.0
// Batch normalisation takes in what follows it: the residual that is added, the ReLU, and on the way back the
// ReLU's gradient. Each saves reading and writing an image batch once or more. plan/batch_norm.cc has the
// operands.
#include "plan/fuse.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

constexpr std::size_t kResidual = 8;    // of batch_norm_forward and batch_norm_eval
constexpr std::size_t kReluOutput = 8;  // of batch_norm_backward
constexpr std::size_t kGradient = 3;    // dy, of batch_norm_backward

bool is_batch_norm(const Recorded& instruction) {
  return is(instruction, "batch_norm_forward") || is(instruction, "batch_norm_eval");
}

std::size_t relu_param(const Recorded& batch_norm) { return is(batch_norm, "batch_norm_forward") ? 4 : 3; }

bool has_relu(const Recorded& batch_norm) {
  const std::size_t i = relu_param(batch_norm);
  return i < batch_norm.params.size() && batch_norm.params[i] != 0;
}

const Recorded& at(const Program& program, int i) {
  return program.instructions[static_cast<std::size_t>(i)];
}

// The batch normalisation whose result is `y`, where only the instruction at `user` looks at y; or -1.
int sole_batch_norm(const Program& program, const Operand& y, int user) {
  if (!is_internal(program, y) || uses(program, y) != 2) return -1;
  const int i = producer(program, y, user);
  if (i < 0 || !is_batch_norm(at(program, i)) || !same(operand_of(at(program, i), 0), y)) return -1;
  return varies(program, i) || has_relu(at(program, i)) ? -1 : i;
}

// Whether the batch normalisation at i can take in the addition at j, and run there.
bool takes_in(const Program& program, int i, int j) {
  if (i < 0) return false;
  const Recorded& batch_norm = at(program, i);
  return operand_of(batch_norm, kResidual).kind == Operand::Kind::kNone &&
         may_move(program, batch_norm, i, j);
}

}  // namespace

// y <- batch norm; z <- y + other: the later of the two summands' normalisations adds the other one itself,
// at the place of the addition, where both are there. A sum does not depend on the order of its two terms.
int fuse_batch_norm_add(Program* program) {
  int fused = 0;
  for (int j = 0; j < static_cast<int>(program->instructions.size()); ++j) {
    const Recorded add = at(*program, j);
    if (!is(add, "add")) continue;
    const Operand sum = operand_of(add, 0), summands[] = {operand_of(add, 1), operand_of(add, 2)};
    if (same(sum, summands[0]) || same(sum, summands[1]) || same(summands[0], summands[1])) continue;
    int i = -1;
    Operand residual;
    for (const int side : {0, 1}) {
      const int found = sole_batch_norm(*program, summands[side], j);
      if (found <= i || !takes_in(*program, found, j)) continue;
      i = found;
      residual = summands[1 - side];
    }
    if (i < 0) continue;
    Recorded batch_norm = at(*program, i);
    batch_norm.operands[0] = sum;
    set_operand(&batch_norm, kResidual, residual);
    program->instructions[static_cast<std::size_t>(j)] = batch_norm;
    remove_instruction(program, i);
    --j;
    ++fused;
  }
  return fused;
}

// y <- batch norm; z <- relu y: the normalisation writes z.
void fuse_batch_norm_relu(Program* program, Fusions* fusions) {
  int &plain = (*fusions)["batchNorm2d + relu"], &residual = (*fusions)["batchNorm2d + add + relu"];
  for (int j = 0; j < static_cast<int>(program->instructions.size()); ++j) {
    const Recorded relu = at(*program, j);
    if (!is(relu, "relu_forward")) continue;
    const int i = sole_batch_norm(*program, operand_of(relu, 1), j);
    if (i < 0 || !may_move(*program, relu, j, i)) continue;
    Recorded& batch_norm = program->instructions[static_cast<std::size_t>(i)];
    batch_norm.operands[0] = operand_of(relu, 0);
    set_param(&batch_norm, relu_param(batch_norm), 1.0);
    ++(operand_of(batch_norm, kResidual).kind == Operand::Kind::kNone ? plain : residual);
    remove_instruction(program, j);
    --j;
  }
}

// dz <- relu's gradient of dy at its output y; batch norm's gradient of dz: where nobody else looks at dz,
// the second reads dy and y.
int fuse_relu_gradient(Program* program) {
  int fused = 0;
  for (int j = 0; j < static_cast<int>(program->instructions.size()); ++j) {
    const Recorded& gradient = at(*program, j);
    if (!is(gradient, "batch_norm_backward") ||
        operand_of(gradient, kReluOutput).kind != Operand::Kind::kNone)
      continue;
    const Operand dz = operand_of(gradient, kGradient);
    if (!is_internal(*program, dz) || uses(*program, dz) != 2) continue;
    const int i = producer(*program, dz, j);
    if (i < 0 || !is(at(*program, i), "relu_backward")) continue;
    const Recorded relu = at(*program, i);
    Recorded joined = gradient;
    joined.operands[kGradient] = operand_of(relu, 1);
    set_operand(&joined, kReluOutput, operand_of(relu, 2));
    if (!may_move(*program, relu, i, j)) continue;
    program->instructions[static_cast<std::size_t>(j)] = joined;
    remove_instruction(program, i);
    --j;
    ++fused;
  }
  return fused;
}

}  // namespace receptive::plan
