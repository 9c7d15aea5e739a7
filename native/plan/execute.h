// SPDX-License-Identifier: Apache-2.0
// Runs one instruction now: eager mode.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plan/arguments.h"
#include "runtime/status.h"
#include "runtime/tensor_table.h"

namespace receptive::plan {

struct Instruction {
  int opcode;
  const std::int32_t* handles;  // -1 for an operand that is left out
  int handle_count;
  const double* params;
  int param_count;
};

// The words of a refusal with ERR_BUSY.
constexpr const char* kAtRest = "a tensor at rest";
constexpr const char* kInUse = "one that a running plan is using";

Status execute(const Instruction& instruction, TensorTable* tensors);

// Calls an operation whose operands have been resolved; denormals are the caller's to flush.
Status call(int opcode, const Arguments& args);

int opcode_count();
const char* opcode_name(int opcode);

// What a planner may know of an operation: the columns of plan/opcodes.h. Operands are bits.
struct OpcodeTraits {
  unsigned writes, overwrites;
  bool pure;

  bool writes_operand(std::size_t i) const { return (writes >> i & 1u) != 0; }
  bool may_overwrite(std::size_t i) const { return (overwrites >> i & 1u) != 0; }
};
const OpcodeTraits& opcode_traits(int opcode);

}  // namespace receptive::plan
