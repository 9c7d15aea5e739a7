// SPDX-License-Identifier: Apache-2.0
#include "plan/fold.h"

#include <cmath>
#include <utility>

#include "plan/execute.h"
#include "plan/parameters.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

bool is_written(const Program& program, const Operand& operand) {
  for (const Recorded& instruction : program.instructions) {
    if (writes(instruction, operand)) return true;
  }
  return false;
}

// What is folded must be the same in every step: tensors that the step itself does not write.
bool is_constant(const Program& program, const Operand& operand) {
  return operand.kind == Operand::Kind::kNone ||
         (operand.kind == Operand::Kind::kTensor && !is_written(program, operand));
}

// 1 where it is left out.
double groups_of(const Recorded& conv) {
  const double groups = conv.params.size() > kConvGroups ? conv.params[kConvGroups] : 1.0;
  return groups == 0.0 ? 1.0 : groups;
}

// Whether the parameters that give the size of the weight can be one: they are checked when the step runs,
// but memory for the folded weight is planned before.
bool has_sizes(const Recorded& conv) {
  if (conv.params.size() <= kConvKernelW) return false;
  for (const std::size_t i : {kConvInC, kConvOutC, kConvKernelH, kConvKernelW}) {
    const double size = conv.params[i];
    if (!(size >= 1 && size <= 1 << 20 && size == std::floor(size))) return false;
  }
  const double channels = conv.params[kConvInC] / groups_of(conv);
  return channels >= 1 && channels == std::floor(channels) &&
         channels * conv.params[kConvOutC] * conv.params[kConvKernelH] * conv.params[kConvKernelW] <= 0x1p40;
}

bool can_fold(const Program& program, const Recorded& conv, const Recorded& batch_norm) {
  if (!is(conv, "conv2d_forward") || !is(batch_norm, "batch_norm_eval")) return false;
  const Operand y = operand_of(conv, 0);
  if (!has_sizes(conv) || batch_norm.params.size() < 3 || !same(y, operand_of(batch_norm, 3)) ||
      !is_internal(program, y) || uses(program, y) != 2)
    return false;
  for (const std::size_t statistic : {1u, 2u}) {  // kept for a backward pass that must not come
    if (uses(program, batch_norm.operands[statistic]) != 1) return false;
  }
  for (const std::size_t input : {2u, 3u}) {
    if (!is_constant(program, operand_of(conv, input))) return false;
  }
  for (const std::size_t input : {4u, 5u, 6u, 7u}) {
    if (!is_constant(program, operand_of(batch_norm, input))) return false;
  }
  return true;
}

}  // namespace

int fold_batch_norm_into_conv(Program* program) {
  int folded = 0;
  for (int i = 0; i + 1 < static_cast<int>(program->instructions.size()); ++i) {
    Recorded& conv = program->instructions[static_cast<std::size_t>(i)];
    const Recorded batch_norm = program->instructions[static_cast<std::size_t>(i) + 1];
    if (!can_fold(*program, conv, batch_norm)) continue;
    const Dtype dtype = program->buffers[static_cast<std::size_t>(conv.operands[0].index)].dtype;
    const double out_c = conv.params[kConvOutC];
    const double patch =
        conv.params[kConvKernelH] * conv.params[kConvKernelW] * conv.params[kConvInC] / groups_of(conv);
    const Operand weight = add_buffer(program, static_cast<std::int64_t>(out_c * patch), dtype);
    const Operand bias = add_buffer(program, static_cast<std::int64_t>(out_c), dtype);
    Recorded fold;
    fold.opcode = opcode_named("fold_batch_norm");
    fold.operands = {weight, bias, operand_of(conv, 2), operand_of(conv, 3)};
    for (const std::size_t input : {4u, 5u, 6u, 7u}) fold.operands.push_back(operand_of(batch_norm, input));
    fold.params = {out_c, patch, batch_norm.params[2]};
    conv.operands[0] = batch_norm.operands[0];
    set_operand(&conv, 2, weight);
    set_operand(&conv, 3, bias);
    remove_instruction(program, i + 1);
    insert_instruction(program, program->once, std::move(fold));
    program->once += 1;
    ++i;  // the convolution has moved on by one
    ++folded;
  }
  return folded;
}

}  // namespace receptive::plan
