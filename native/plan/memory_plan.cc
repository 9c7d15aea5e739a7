// SPDX-License-Identifier: Apache-2.0
// Offline placement: buffers in order of size, largest first, each at the lowest offset where it meets no
// buffer that is alive at the same time. What is written in place is placed as one.
#include "plan/memory_plan.h"

#include <algorithm>

#include "plan/liveness.h"

namespace receptive::plan {

MemoryPlan plan_memory(const Program& program) {
  const Liveness liveness(program);
  const std::size_t count = program.buffers.size();
  MemoryPlan plan;
  plan.offsets.assign(count, MemoryPlan::kUnplaced);
  plan.in_place = liveness.in_place;

  std::vector<int> leaders;
  for (std::size_t b = 0; b < count; ++b) {
    if (!liveness.touched[b]) continue;
    plan.unshared_bytes += program.buffers[b].bytes();
    if (liveness.leader[b] == static_cast<int>(b)) leaders.push_back(static_cast<int>(b));
  }
  const auto bytes = [&](int b) { return aligned_bytes(program.buffers[static_cast<std::size_t>(b)]); };
  const auto alive = [&](int b) -> const Interval& { return liveness.alive[static_cast<std::size_t>(b)]; };
  std::stable_sort(leaders.begin(), leaders.end(), [&](int a, int b) { return bytes(a) > bytes(b); });

  std::vector<int> placed;  // by offset
  for (const int leader : leaders) {
    std::int64_t offset = 0;
    for (const int other : placed) {
      if (!alive(other).meets(alive(leader))) continue;
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
    if (liveness.touched[b]) plan.offsets[b] = plan.offsets[static_cast<std::size_t>(liveness.leader[b])];
  }
  return plan;
}

}  // namespace receptive::plan
