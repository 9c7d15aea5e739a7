// SPDX-License-Identifier: Apache-2.0
// The only threading interface that ops see. The caller splits its work into tasks by shape alone; which
// thread runs which task is left open, and so a result must not depend on it: each task writes its own
// output.
#pragma once

#include <cstdint>

namespace receptive {

using TaskFunction = void (*)(const void* context, std::int64_t task);

// Runs tasks 0..count-1 on the resident pool and the calling thread; returns when all are done.
void parallel_for_raw(std::int64_t count, TaskFunction function, const void* context);

template <typename Body>
void parallel_for(std::int64_t count, const Body& body) {
  parallel_for_raw(
      count, [](const void* context, std::int64_t task) { (*static_cast<const Body*>(context))(task); },
      &body);
}

// Splits [0, total) into ranges of `grain` (the last may be shorter): body(begin, end).
template <typename Body>
void parallel_ranges(std::int64_t total, std::int64_t grain, const Body& body) {
  parallel_for((total + grain - 1) / grain, [&](std::int64_t task) {
    const std::int64_t begin = task * grain;
    body(begin, begin + grain < total ? begin + grain : total);
  });
}

}  // namespace receptive
