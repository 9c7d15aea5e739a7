// SPDX-License-Identifier: Apache-2.0
// From which instruction to which the buffers of a recorded step hold something that is still needed, and
// which of them can lie in one place because one is written over the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "plan/program.h"

namespace receptive::plan {

struct Interval {
  int first = std::numeric_limits<int>::max(), last = -1;
  bool empty() const { return last < 0; }
  bool meets(const Interval& other) const { return first <= other.last && other.first <= last; }
  void include(const Interval& other) {
    first = std::min(first, other.first);
    last = std::max(last, other.last);
  }
};

struct Liveness {
  std::vector<int> leader;      // by buffer: the first of those that share its place
  std::vector<Interval> alive;  // by leader: from the first member's beginning to the last member's end
  std::vector<bool> touched;    // by buffer: it takes memory of the step
  int in_place = 0;             // results written over an input

  explicit Liveness(const Program& program);
};

// What a buffer takes in the arena.
std::int64_t aligned_bytes(const BufferSpec& buffer);

// Bytes that are alive while each instruction runs. No arena can be smaller than the largest.
std::vector<std::int64_t> live_bytes(const Program& program, const Liveness& liveness);

}  // namespace receptive::plan
