// SPDX-License-Identifier: Apache-2.0
#include "ops/add_bias.h"

#include <algorithm>
#include <cstring>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "runtime/workspace.h"

namespace receptive::ops {

// The bias is repeated to a run of rows, long enough for the kernel that adds two of them.
void add_bias(float* out, const float* in, const float* bias, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kRun = 1024;  // floats, about
  const std::int64_t repeats = std::clamp<std::int64_t>(kRun / columns, 1, rows), run = repeats * columns;
  float* repeated = workspace<float>(Slot::kPackedB, run);
  for (std::int64_t i = 0; i < repeats; ++i)
    std::memcpy(repeated + i * columns, bias, static_cast<std::size_t>(columns) * sizeof(float));
  const auto add = kernels().vector->add;
  const std::int64_t grain = std::max<std::int64_t>(1, kElementwiseGrain / run) * run;
  parallel_ranges(rows * columns, grain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += run) add(out + i, in + i, repeated, std::min(run, end - i));
  });
}

}  // namespace receptive::ops
