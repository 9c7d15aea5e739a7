// SPDX-License-Identifier: Apache-2.0
#include "plan/program.h"

#include "plan/arguments.h"
#include "plan/execute.h"

namespace receptive::plan {
namespace {

Status wrong(const char* what) { return Status::refuse("ERR_ARGUMENT", "a well-formed recorded step", what); }

// Only what an instruction touches has a place to be read from.
bool is_written(const Program& program, int buffer) {
  for (const Recorded& instruction : program.instructions) {
    for (const Operand& operand : instruction.operands) {
      if (operand.kind == Operand::Kind::kBuffer && operand.index == buffer) return true;
    }
  }
  return false;
}

}  // namespace

std::vector<int> Program::with_role(BufferSpec::Role role) const {
  std::vector<int> found;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    if (buffers[i].role == role) found.push_back(static_cast<int>(i));
  }
  return found;
}

Status Program::check() const {
  const int buffer_count = static_cast<int>(buffers.size());
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 48;  // more than processors can address
  std::int64_t bytes = 0;
  for (const BufferSpec& buffer : buffers) {
    if (buffer.size < 1) return wrong("a buffer without a size");
    if (buffer.size > kMostBytes / 8 || (bytes += buffer.bytes()) > kMostBytes)
      return Status::refuse("ERR_OUT_OF_MEMORY", "buffers that fit into memory", "a step of larger ones");
  }
  for (const Recorded& instruction : instructions) {
    if (instruction.opcode < 0 || instruction.opcode >= opcode_count()) return wrong("an unknown operation");
    if (instruction.operands.size() > Arguments::kMaxBuffers) return wrong("too many operands");
    for (const Operand& operand : instruction.operands) {
      if (operand.kind == Operand::Kind::kBuffer && operand.index >= buffer_count)
        return wrong("an unknown buffer");
    }
  }
  for (const int output : with_role(BufferSpec::Role::kOutput)) {
    if (!is_written(*this, output)) return wrong("an output that no instruction writes");
  }
  for (const Varying& varying : this->varying) {
    if (varying.instruction < 0 || varying.instruction >= static_cast<int>(instructions.size()) ||
        varying.param < 0 ||
        varying.param >=
            static_cast<int>(instructions[static_cast<std::size_t>(varying.instruction)].params.size()) ||
        varying.variable < 0 || varying.variable >= variables) {
      return wrong("a value for a parameter that does not exist");
    }
  }
  return Status::success();
}

}  // namespace receptive::plan
