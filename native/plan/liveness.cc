// SPDX-License-Identifier: Apache-2.0
#include "plan/liveness.h"

#include <numeric>

#include "plan/execute.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

constexpr std::int64_t kAlign = 64;

std::vector<Interval> lifetimes(const Program& program) {
  std::vector<Interval> intervals(program.buffers.size());
  const int end = static_cast<int>(program.instructions.size());
  for (int i = 0; i < end; ++i) {
    for (const Operand& operand : program.instructions[static_cast<std::size_t>(i)].operands) {
      if (operand.kind != Operand::Kind::kBuffer) continue;
      Interval& interval = intervals[static_cast<std::size_t>(operand.index)];
      // What is computed once and read in steps stays for all of them, and for later runs
      const bool stays = i >= program.once && !interval.empty() && interval.first < program.once;
      interval.include(stays ? Interval{0, end} : Interval{i, i});
    }
  }
  for (std::size_t b = 0; b < intervals.size(); ++b) {  // outputs are read when the step is over
    if (program.buffers[b].role == BufferSpec::Role::kOutput && !intervals[b].empty())
      intervals[b].last = end;
  }
  return intervals;
}

// The input that the first output of instruction i may be written over: one whose last use this is; or null.
const Operand* overwritable(const Program& program, const std::vector<Interval>& intervals, int i) {
  const Recorded& instruction = program.instructions[static_cast<std::size_t>(i)];
  if (instruction.operands.empty() || !is_internal(program, instruction.operands[0])) return nullptr;
  const auto out = static_cast<std::size_t>(instruction.operands[0].index);
  if (intervals[out].first != i) return nullptr;
  const OpcodeTraits& traits = opcode_traits(instruction.opcode);
  for (std::size_t o = 1; o < instruction.operands.size(); ++o) {
    const Operand& in = instruction.operands[o];
    if (!traits.may_overwrite(o) || !is_internal(program, in)) continue;
    const auto index = static_cast<std::size_t>(in.index);
    const bool fits = program.buffers[out].bytes() == program.buffers[index].bytes();
    if (fits && index != out && intervals[index].last == i) return &in;
  }
  return nullptr;
}

}  // namespace

std::int64_t aligned_bytes(const BufferSpec& buffer) {
  return (buffer.bytes() + kAlign - 1) / kAlign * kAlign;
}

Liveness::Liveness(const Program& program) {
  const std::vector<Interval> intervals = lifetimes(program);
  const std::size_t count = program.buffers.size();
  leader.resize(count);
  std::iota(leader.begin(), leader.end(), 0);
  // Inputs come before outputs, and so an input's leader is final when an output joins it.
  for (int i = 0; i < static_cast<int>(program.instructions.size()); ++i) {
    const Operand* in = overwritable(program, intervals, i);
    if (in == nullptr) continue;
    const int out = program.instructions[static_cast<std::size_t>(i)].operands[0].index;
    leader[static_cast<std::size_t>(out)] = leader[static_cast<std::size_t>(in->index)];
    ++in_place;
  }
  alive.resize(count);
  touched.resize(count);
  for (std::size_t b = 0; b < count; ++b) {
    touched[b] = program.buffers[b].role != BufferSpec::Role::kStream && !intervals[b].empty();
    if (touched[b]) alive[static_cast<std::size_t>(leader[b])].include(intervals[b]);
  }
}

std::vector<std::int64_t> live_bytes(const Program& program, const Liveness& liveness) {
  std::vector<std::int64_t> change(program.instructions.size() + 2, 0);
  for (std::size_t b = 0; b < program.buffers.size(); ++b) {
    if (!liveness.touched[b] || liveness.leader[b] != static_cast<int>(b)) continue;
    const Interval& interval = liveness.alive[b];
    change[static_cast<std::size_t>(interval.first)] += aligned_bytes(program.buffers[b]);
    change[static_cast<std::size_t>(interval.last) + 1] -= aligned_bytes(program.buffers[b]);
  }
  std::partial_sum(change.begin(), change.end(), change.begin());
  change.resize(program.instructions.size());
  return change;
}

}  // namespace receptive::plan
