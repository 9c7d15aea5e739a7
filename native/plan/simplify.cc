// SPDX-License-Identifier: Apache-2.0
// Gradients that meet are added in place, and a gradient that goes two ways is copied
// (lib/autograd/backward.ts). In a recorded step each value gets a name of its own, so that the passes see
// where it comes from, and no copy is needed.
#include "plan/fuse.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

const Recorded& at(const Program& program, int i) {
  return program.instructions[static_cast<std::size_t>(i)];
}

int end_of(const Program& program) { return static_cast<int>(program.instructions.size()); }

// Whether an instruction from `first` to `end` - 1 does it to the operand.
template <typename Does>
bool any(const Program& program, const Operand& operand, int first, int end, const Does& does) {
  for (int i = first; i < end; ++i) {
    if (does(at(program, i), operand)) return true;
  }
  return false;
}

}  // namespace

void name_sums(Program* program) {
  for (int i = program->once; i < end_of(*program); ++i) {
    const Recorded& sum = at(*program, i);
    const Operand in_place = operand_of(sum, 0);
    if (!is(sum, "add") || !is_internal(*program, in_place)) continue;
    if (!same(in_place, operand_of(sum, 1)) && !same(in_place, operand_of(sum, 2))) continue;
    if (any(*program, in_place, 0, program->once, touches)) continue;
    const BufferSpec spec = program->buffers[static_cast<std::size_t>(in_place.index)];
    const Operand fresh = add_buffer(program, spec.size, spec.dtype);
    rename(program, i + 1, in_place, fresh);
    program->instructions[static_cast<std::size_t>(i)].operands[0] = fresh;
  }
}

int leave_out_copies(Program* program) {
  int left_out = 0;
  for (int i = program->once; i < end_of(*program); ++i) {
    const Recorded& copy = at(*program, i);
    const Operand to = operand_of(copy, 0), from = operand_of(copy, 1);
    if (!is(copy, "copy") || !is_internal(*program, to) || !is_internal(*program, from) || same(to, from))
      continue;
    const BufferSpec &to_spec = program->buffers[static_cast<std::size_t>(to.index)],
                     &from_spec = program->buffers[static_cast<std::size_t>(from.index)];
    if (to_spec.size != from_spec.size || to_spec.dtype != from_spec.dtype) continue;
    const int end = end_of(*program);
    // Nobody may see one of them change while the other stays
    if (any(*program, to, 0, i, touches) || any(*program, to, i + 1, end, writes) ||
        any(*program, from, i + 1, end, writes) || any(*program, from, 0, program->once, touches))
      continue;
    rename(program, i, to, from);
    remove_instruction(program, i);
    --i;
    ++left_out;
  }
  return left_out;
}

}  // namespace receptive::plan
