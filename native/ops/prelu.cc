// SPDX-License-Identifier: Apache-2.0
#include "ops/prelu.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

std::int64_t chunk_rows(const PReluSize& size) {
  return std::max<std::int64_t>(1, kElementwiseGrain / size.channels);
}

// One number a column: the weight itself, or copies of it at `space`.
const float* weight_row(const float* weight, const PReluSize& size, float* space) {
  if (size.weights == size.channels) return weight;
  std::fill_n(space, size.channels, *weight);
  return space;
}

}  // namespace

void prelu_forward(float* y, const float* x, const float* weight, const PReluSize& size) {
  const auto kernel = kernels().prelu->forward;
  const float* slopes = weight_row(weight, size, workspace<float>(Slot::kPartials, size.channels));
  parallel_ranges(size.rows, chunk_rows(size), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * size.channels;
    kernel(y + at, x + at, slopes, end - begin, size.channels);
  });
}

void prelu_backward(float* dx, float* dweight, const float* dy, const float* x, const float* weight,
                    const PReluSize& size) {
  const auto kernel = kernels().prelu->backward;
  const std::int64_t grain = chunk_rows(size), chunks = (size.rows + grain - 1) / grain;
  float* space = workspace<float>(Slot::kPartials, (chunks + 2) * size.channels);
  const float* slopes = weight_row(weight, size, space);
  float *sums = space + size.channels, *partials = sums + size.channels;
  parallel_ranges(size.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * size.channels;
    kernel(dx == nullptr ? nullptr : dx + at,
           dweight == nullptr ? nullptr : partials + begin / grain * size.channels, dy + at, x + at, slopes,
           end - begin, size.channels);
  });
  if (dweight == nullptr) return;
  const bool shared = size.weights != size.channels;
  sum_partials(shared ? sums : dweight, partials, chunks, size.channels, size.channels);
  if (shared) *dweight = kernels().vector->sum(sums, size.channels);
}

}  // namespace receptive::ops
