// SPDX-License-Identifier: Apache-2.0
#include "plan/fuse.h"

#include <algorithm>
#include <cstring>

#include "plan/execute.h"

namespace receptive::plan {
namespace {

constexpr int kConvReluParam = 13;  // plan/conv2d.cc: 1 if a ReLU follows

bool is(const Recorded& instruction, const char* name) {
  return std::strcmp(opcode_name(instruction.opcode), name) == 0;
}

bool same(const Operand& a, const Operand& b) { return a.kind == b.kind && a.index == b.index; }

// How many instructions touch a buffer.
int uses(const Program& program, const Operand& operand) {
  return static_cast<int>(std::count_if(
      program.instructions.begin(), program.instructions.end(), [&](const Recorded& instruction) {
        return std::any_of(instruction.operands.begin(), instruction.operands.end(),
                           [&](const Operand& other) { return same(operand, other); });
      }));
}

bool is_internal(const Program& program, const Operand& operand) {
  return operand.kind == Operand::Kind::kBuffer &&
         program.buffers[static_cast<std::size_t>(operand.index)].role == BufferSpec::Role::kInternal;
}

// Takes out instruction `index`; what varies in later ones moves up with them.
void remove_instruction(Program* program, int index) {
  program->instructions.erase(program->instructions.begin() + index);
  for (Varying& varying : program->varying) {
    if (varying.instruction > index) varying.instruction -= 1;
  }
}

// conv2d_forward y; relu_forward z <- y: where nobody else looks at y, the convolution writes z. The tile's
// epilogue computes max(0, value + bias), which is what the two instructions compute.
int fuse_conv_relu(Program* program) {
  int fused = 0;
  for (int i = 0; i + 1 < static_cast<int>(program->instructions.size()); ++i) {
    Recorded& conv = program->instructions[static_cast<std::size_t>(i)];
    const Recorded& relu = program->instructions[static_cast<std::size_t>(i) + 1];
    if (!is(conv, "conv2d_forward") || !is(relu, "relu_forward") || !same(relu.operands[1], conv.operands[0]))
      continue;
    if (!is_internal(*program, conv.operands[0]) || uses(*program, conv.operands[0]) != 2) continue;
    conv.operands[0] = relu.operands[0];
    conv.params.resize(kConvReluParam + 1, 0.0);
    conv.params[kConvReluParam] = 1.0;
    remove_instruction(program, i + 1);
    ++fused;
  }
  return fused;
}

}  // namespace

Fusions fuse(Program* program) {
  Fusions fusions;
  fusions.conv_relu = fuse_conv_relu(program);
  return fusions;
}

}  // namespace receptive::plan
