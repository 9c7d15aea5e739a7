// SPDX-License-Identifier: Apache-2.0
// A recorded step: instructions over buffers that exist only inside the step, tensors that outlive it, and
// inputs that change from step to step. Recorded by TypeScript (lib/native/recorder.ts), planned and replayed
// here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/status.h"
#include "runtime/tensor_table.h"

namespace receptive::plan {

// What an instruction reads or writes.
struct Operand {
  enum class Kind { kNone, kTensor, kBuffer };
  Kind kind = Kind::kNone;
  int index = 0;  // handle of a tensor that outlives the step, or index of a buffer
};

// Operands travel as numbers: -1 is none, 0 and up are buffers, -2 and down are tensors.
inline Operand decode_operand(std::int32_t code) {
  if (code == -1) return {};
  if (code >= 0) return {Operand::Kind::kBuffer, code};
  return {Operand::Kind::kTensor, -2 - code};
}

struct Recorded {
  int opcode = 0;
  std::vector<Operand> operands;
  std::vector<double> params;
  int origin = -1;  // its place in the recording; what was joined to it has its own no more
};

// A parameter that differs from step to step: a learning rate, the position of a random generator.
struct Varying {
  int instruction, param;
  int variable;  // column in the table of values that each run brings
};

struct BufferSpec {
  enum class Role : int {
    kInternal = 0,  // lives inside the step: the planner finds it a place
    kStream = 1,    // each step reads the next slice of what the run brings (indices of a batch)
    kOutput = 2,    // handed out after each step: a number (a loss) or all elements (probabilities)
  };
  std::int64_t size = 0;
  Dtype dtype = Dtype::kFloat32;
  Role role = Role::kInternal;

  std::int64_t bytes() const { return size * static_cast<std::int64_t>(dtype_bytes(dtype)); }
};

struct Program {
  std::vector<Recorded> instructions;
  std::vector<BufferSpec> buffers;
  std::vector<Varying> varying;
  int variables = 0;
  int once = 0;  // so many instructions at the beginning run only where what they read has changed

  std::vector<int> with_role(BufferSpec::Role role) const;
  // Refuses operands, parameters and variables that name nothing.
  Status check() const;
};

}  // namespace receptive::plan
