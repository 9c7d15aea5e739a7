// SPDX-License-Identifier: Apache-2.0
// Liveness, then offline placement: buffers in order of size, largest first, each at the lowest offset where
// it meets no buffer that is alive at the same time. In-place results join the group of the input they
// overwrite, and a group is placed as one.
#include "plan/memory_plan.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include "plan/execute.h"

namespace receptive::plan {
namespace {

constexpr std::int64_t kAlign = 64;

struct Interval {
  int first = std::numeric_limits<int>::max(), last = -1;
  bool empty() const { return last < 0; }
  bool meets(const Interval& other) const { return first <= other.last && other.first <= last; }
};

// Operations that may write over their first input: elementwise, each output element read from the same
// place.
bool may_overwrite_input(int opcode) {
  static const char* const kNames[] = {"relu_forward",    "relu_backward",    "tanh_forward", "tanh_backward",
                                       "sigmoid_forward", "sigmoid_backward", "add",          "multiply",
                                       "scale",           "scale_by",         "dropout"};
  const char* name = opcode_name(opcode);
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](const char* known) { return !std::strcmp(known, name); });
}

std::vector<Interval> lifetimes(const Program& program) {
  std::vector<Interval> intervals(program.buffers.size());
  const int end = static_cast<int>(program.instructions.size());
  for (int i = 0; i < end; ++i) {
    for (const Operand& operand : program.instructions[static_cast<std::size_t>(i)].operands) {
      if (operand.kind != Operand::Kind::kBuffer) continue;
      Interval& interval = intervals[static_cast<std::size_t>(operand.index)];
      interval.first = std::min(interval.first, i);
      interval.last = i;
    }
  }
  for (std::size_t b = 0; b < intervals.size(); ++b) {  // outputs are read when the step is over
    if (program.buffers[b].role == BufferSpec::Role::kOutput && !intervals[b].empty())
      intervals[b].last = end;
  }
  return intervals;
}

// Joins the output of an elementwise instruction to its input where the input ends there and nothing else is
// in the way.
struct Groups {
  std::vector<int> leader;
  int find(int buffer) {
    while (leader[static_cast<std::size_t>(buffer)] != buffer)
      buffer = leader[static_cast<std::size_t>(buffer)];
    return buffer;
  }
};

bool is_internal(const Program& program, const Operand& operand) {
  return operand.kind == Operand::Kind::kBuffer &&
         program.buffers[static_cast<std::size_t>(operand.index)].role == BufferSpec::Role::kInternal;
}

int join_in_place(const Program& program, const std::vector<Interval>& intervals, Groups* groups) {
  int joined = 0;
  for (int i = 0; i < static_cast<int>(program.instructions.size()); ++i) {
    const Recorded& instruction = program.instructions[static_cast<std::size_t>(i)];
    if (!may_overwrite_input(instruction.opcode) || instruction.operands.size() < 2) continue;
    const Operand& out = instruction.operands[0];
    const Operand& in = instruction.operands[1];
    if (!is_internal(program, out) || !is_internal(program, in) || out.index == in.index) continue;
    const auto o = static_cast<std::size_t>(out.index), n = static_cast<std::size_t>(in.index);
    const bool fits = program.buffers[o].bytes() == program.buffers[n].bytes();
    if (!fits || intervals[o].first != i || intervals[n].last != i) continue;
    groups->leader[o] = groups->find(in.index);
    ++joined;
  }
  return joined;
}

}  // namespace

MemoryPlan plan_memory(const Program& program) {
  const std::vector<Interval> intervals = lifetimes(program);
  const std::size_t count = program.buffers.size();
  Groups groups;
  groups.leader.resize(count);
  std::iota(groups.leader.begin(), groups.leader.end(), 0);

  MemoryPlan plan;
  plan.offsets.assign(count, MemoryPlan::kUnplaced);
  plan.in_place = join_in_place(program, intervals, &groups);

  // A group is alive from its first member's beginning to its last member's end.
  std::vector<Interval> alive(count);
  std::vector<int> leaders;
  for (std::size_t b = 0; b < count; ++b) {
    if (program.buffers[b].role == BufferSpec::Role::kStream || intervals[b].empty()) continue;
    plan.unshared_bytes += program.buffers[b].bytes();
    const int leader = groups.find(static_cast<int>(b));
    Interval& interval = alive[static_cast<std::size_t>(leader)];
    if (interval.empty()) leaders.push_back(leader);
    interval.first = std::min(interval.first, intervals[b].first);
    interval.last = std::max(interval.last, intervals[b].last);
  }
  const auto bytes = [&](int b) {
    return (program.buffers[static_cast<std::size_t>(b)].bytes() + kAlign - 1) / kAlign * kAlign;
  };
  std::stable_sort(leaders.begin(), leaders.end(), [&](int a, int b) { return bytes(a) > bytes(b); });

  std::vector<int> placed;  // by offset
  for (const int leader : leaders) {
    std::int64_t offset = 0;
    for (const int other : placed) {
      if (!alive[static_cast<std::size_t>(other)].meets(alive[static_cast<std::size_t>(leader)])) continue;
      const std::int64_t begin = plan.offsets[static_cast<std::size_t>(other)];
      if (offset + bytes(leader) <= begin) break;
      offset = std::max(offset, begin + bytes(other));
    }
    plan.offsets[static_cast<std::size_t>(leader)] = offset;
    plan.arena_bytes = std::max(plan.arena_bytes, offset + bytes(leader));
    const auto by_offset = [&](int a, int b) {
      return plan.offsets[static_cast<std::size_t>(a)] < plan.offsets[static_cast<std::size_t>(b)];
    };
    placed.insert(std::upper_bound(placed.begin(), placed.end(), leader, by_offset), leader);
  }
  for (std::size_t b = 0; b < count; ++b) {
    if (intervals[b].empty() || program.buffers[b].role == BufferSpec::Role::kStream) continue;
    plan.offsets[b] = plan.offsets[static_cast<std::size_t>(groups.find(static_cast<int>(b)))];
  }
  return plan;
}

}  // namespace receptive::plan
