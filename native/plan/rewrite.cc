// SPDX-License-Identifier: Apache-2.0
#include "plan/rewrite.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "plan/execute.h"

namespace receptive::plan {

bool is(const Recorded& instruction, const char* opcode) {
  return std::strcmp(opcode_name(instruction.opcode), opcode) == 0;
}

int opcode_named(const char* name) {
  Recorded probe;
  while (!is(probe, name)) ++probe.opcode;
  return probe.opcode;
}

bool same(const Operand& a, const Operand& b) { return a.kind == b.kind && a.index == b.index; }

bool is_internal(const Program& program, const Operand& operand) {
  return operand.kind == Operand::Kind::kBuffer &&
         program.buffers[static_cast<std::size_t>(operand.index)].role == BufferSpec::Role::kInternal;
}

Operand operand_of(const Recorded& instruction, std::size_t i) {
  return i < instruction.operands.size() ? instruction.operands[i] : Operand{};
}

void set_operand(Recorded* instruction, std::size_t i, const Operand& operand) {
  if (instruction->operands.size() <= i) instruction->operands.resize(i + 1);
  instruction->operands[i] = operand;
}

void set_param(Recorded* instruction, std::size_t i, double value) {
  if (instruction->params.size() <= i) instruction->params.resize(i + 1, 0.0);
  instruction->params[i] = value;
}

bool touches(const Recorded& instruction, const Operand& operand) {
  return operand.kind != Operand::Kind::kNone &&
         std::any_of(instruction.operands.begin(), instruction.operands.end(),
                     [&](const Operand& other) { return same(operand, other); });
}

bool writes(const Recorded& instruction, const Operand& operand) {
  if (operand.kind == Operand::Kind::kNone) return false;
  const OpcodeTraits& traits = opcode_traits(instruction.opcode);
  for (std::size_t i = 0; i < instruction.operands.size(); ++i) {
    if (traits.writes_operand(i) && same(instruction.operands[i], operand)) return true;
  }
  return false;
}

int uses(const Program& program, const Operand& operand) {
  return static_cast<int>(
      std::count_if(program.instructions.begin(), program.instructions.end(),
                    [&](const Recorded& instruction) { return touches(instruction, operand); }));
}

int producer(const Program& program, const Operand& operand, int before) {
  for (int i = before - 1; i >= 0; --i) {
    if (writes(program.instructions[static_cast<std::size_t>(i)], operand)) return i;
  }
  return -1;
}

bool may_move(const Program& program, const Recorded& instruction, int from, int to) {
  const OpcodeTraits& traits = opcode_traits(instruction.opcode);
  for (int i = std::min(from, to); i <= std::max(from, to); ++i) {
    if (i == from || i == to) continue;
    const Recorded& between = program.instructions[static_cast<std::size_t>(i)];
    for (std::size_t o = 0; o < instruction.operands.size(); ++o) {
      const Operand& operand = instruction.operands[o];
      if (traits.writes_operand(o) ? touches(between, operand) : writes(between, operand)) return false;
    }
  }
  return true;
}

bool varies(const Program& program, int instruction) {
  return std::any_of(program.varying.begin(), program.varying.end(),
                     [&](const Varying& varying) { return varying.instruction == instruction; });
}

Operand add_buffer(Program* program, std::int64_t size, Dtype dtype) {
  program->buffers.push_back({size, dtype, BufferSpec::Role::kInternal});
  return {Operand::Kind::kBuffer, static_cast<int>(program->buffers.size()) - 1};
}

void rename(Program* program, int first, const Operand& from, const Operand& to) {
  for (std::size_t i = static_cast<std::size_t>(first); i < program->instructions.size(); ++i) {
    for (Operand& operand : program->instructions[i].operands) {
      if (same(operand, from)) operand = to;
    }
  }
}

void remove_instruction(Program* program, int index) {
  program->instructions.erase(program->instructions.begin() + index);
  std::vector<Varying>& varying = program->varying;
  varying.erase(std::remove_if(varying.begin(), varying.end(),
                               [&](const Varying& entry) { return entry.instruction == index; }),
                varying.end());
  for (Varying& entry : varying) {
    if (entry.instruction > index) entry.instruction -= 1;
  }
}

void insert_instruction(Program* program, int index, Recorded instruction) {
  program->instructions.insert(program->instructions.begin() + index, std::move(instruction));
  for (Varying& entry : program->varying) {
    if (entry.instruction >= index) entry.instruction += 1;
  }
}

}  // namespace receptive::plan
