// SPDX-License-Identifier: Apache-2.0
// Questions about a recorded step, and small changes to it, that the passes over it share.
#pragma once

#include "plan/program.h"

namespace receptive::plan {

bool is(const Recorded& instruction, const char* opcode);
int opcode_named(const char* name);
bool same(const Operand& a, const Operand& b);
bool is_internal(const Program& program, const Operand& operand);

// Operand i, or none where the instruction has fewer.
Operand operand_of(const Recorded& instruction, std::size_t i);
// Gives operand i a value; operands in between that were not there are left out.
void set_operand(Recorded* instruction, std::size_t i, const Operand& operand);
void set_param(Recorded* instruction, std::size_t i, double value);

bool touches(const Recorded& instruction, const Operand& operand);
bool writes(const Recorded& instruction, const Operand& operand);

// How many instructions touch an operand.
int uses(const Program& program, const Operand& operand);
// The last instruction before `before` that writes the operand, or -1.
int producer(const Program& program, const Operand& operand, int before);

// Whether an instruction at `from` computes the same when it is moved to `to`, earlier or later: nothing in
// between changes what it reads, or touches what it writes.
bool may_move(const Program& program, const Recorded& instruction, int from, int to);
// Whether a parameter of the instruction differs from step to step.
bool varies(const Program& program, int instruction);

// A new buffer inside the step.
Operand add_buffer(Program* program, std::int64_t size, Dtype dtype);
// From instruction `first` on, `to` stands where `from` stood.
void rename(Program* program, int first, const Operand& from, const Operand& to);

// Both keep what varies with its instruction.
void remove_instruction(Program* program, int index);
void insert_instruction(Program* program, int index, Recorded instruction);

}  // namespace receptive::plan
