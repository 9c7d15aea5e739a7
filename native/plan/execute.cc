// SPDX-License-Identifier: Apache-2.0
#include "plan/execute.h"

#include "plan/opcodes.h"
#include "runtime/denormals.h"
#include "runtime/turns.h"

namespace receptive::plan {
namespace {

struct Entry {
  const char* name;
  Status (*function)(const Arguments& args);
  OpcodeTraits traits;
};

// The words of the table in plan/opcodes.h
constexpr unsigned none = 0;
constexpr bool kPure = true, kOnce = false;
template <typename... Index>
constexpr unsigned at(Index... operands) {
  return (0u | ... | (1u << operands));
}

#define RECEPTIVE_ENTRY(name, writes, overwrites, repeat) {#name, name, {writes, overwrites, repeat}},
constexpr Entry kEntries[] = {RECEPTIVE_OPCODES(RECEPTIVE_ENTRY)};
#undef RECEPTIVE_ENTRY

}  // namespace

int opcode_count() { return static_cast<int>(sizeof(kEntries) / sizeof(kEntries[0])); }
const char* opcode_name(int opcode) { return kEntries[opcode].name; }
const OpcodeTraits& opcode_traits(int opcode) { return kEntries[opcode].traits; }

Status call(int opcode, const Arguments& args) { return kEntries[opcode].function(args); }

Status execute(const Instruction& instruction, TensorTable* tensors) {
  if (instruction.opcode < 0 || instruction.opcode >= opcode_count()) {
    return Status::refuse("ERR_ARGUMENT", "a known operation code", std::to_string(instruction.opcode));
  }
  if (instruction.handle_count > Arguments::kMaxBuffers) {
    return Status::refuse("ERR_ARGUMENT", "at most " + std::to_string(Arguments::kMaxBuffers) + " operands",
                          std::to_string(instruction.handle_count));
  }
  const Entry& entry = kEntries[instruction.opcode];
  // Indices are checked before they are used; a copy uses none.
  const bool trusts = entry.function != copy;
  Buffer buffers[Arguments::kMaxBuffers];
  for (int i = 0; i < instruction.handle_count; ++i) {
    const int handle = instruction.handles[i];
    if (handle < 0) continue;
    const Buffer* buffer = tensors->find(handle);
    if (buffer == nullptr)
      return Status::refuse("ERR_DISPOSED", "a live tensor", "handle " + std::to_string(handle));
    const bool writes = entry.traits.writes_operand(static_cast<std::size_t>(i));
    if (writes ? !tensors->may_write(handle) : trusts && !tensors->may_trust(handle))
      return Status::refuse("ERR_BUSY", kAtRest, kInUse);
    buffers[i] = *buffer;
    if (writes) tensors->touch(handle);
  }
  const FlushDenormals flush;
  const ForegroundWork first;
  return entry.function(
      Arguments(buffers, instruction.handle_count, instruction.params, instruction.param_count));
}

}  // namespace receptive::plan
