// SPDX-License-Identifier: Apache-2.0
#include "ops/copy_columns.h"

#include <algorithm>
#include <cstring>

#include "runtime/parallel_for.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kTaskBytes = 1 << 16;  // about 3 µs of copying, as long as a fork-join

}  // namespace

void copy_columns(void* to, std::int64_t to_stride, const void* from, std::int64_t from_stride,
                  std::int64_t rows, std::int64_t bytes) {
  const std::int64_t grain = std::max<std::int64_t>(1, kTaskBytes / bytes);
  parallel_ranges(rows, grain, [=](std::int64_t begin, std::int64_t end) {
    char* target = static_cast<char*>(to) + begin * to_stride;
    const char* source = static_cast<const char*>(from) + begin * from_stride;
    for (std::int64_t row = begin; row < end; ++row, target += to_stride, source += from_stride)
      std::memcpy(target, source, static_cast<std::size_t>(bytes));
  });
}

}  // namespace receptive::ops
