// SPDX-License-Identifier: Apache-2.0
// Runs one instruction now: eager mode.
#pragma once

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

Status execute(const Instruction& instruction, const TensorTable& tensors);

// Calls an operation whose operands have been resolved; denormals are the caller's to flush.
Status call(int opcode, const Arguments& args);

int opcode_count();
const char* opcode_name(int opcode);

}  // namespace receptive::plan
