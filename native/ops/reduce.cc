// SPDX-License-Identifier: Apache-2.0
#include "ops/reduce.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>

#include "kernels/select.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kSumChunk = 1 << 14;  // floats that one task sums: 64 KiB, about 2 µs
// Many parts: less of each, so that threads share them evenly. 16 of 64x64x3x3 make 9 tasks instead of 3
// (64 channels at 32x32, 32 images, two threads: 1 to 2 % of grad_weight by Winograd).
constexpr std::int64_t kMinPartialChunk = 1 << 12;
// Nothing is kept of these sums: less to hand out. 48,000 take 1.7 µs on one core, which has them near, and
// 11 on two.
constexpr std::int64_t kFiniteChunk = 1 << 16;

void zero(float* out, std::int64_t count) {
  std::memset(out, 0, static_cast<std::size_t>(count) * sizeof(float));
}

// produce(first element, count) writes a chunk of `in` right before it is summed, while it is near.
template <typename Produce>
void sum_columns(float* out, const float* in, std::int64_t rows, std::int64_t columns,
                 const Produce& produce) {
  const VectorKernels& vector = *kernels().vector;
  const std::int64_t chunk = std::max<std::int64_t>(1, kSumChunk / columns);
  const std::int64_t chunks = std::max<std::int64_t>(1, (rows + chunk - 1) / chunk);
  if (chunks == 1) {
    produce(0, rows * columns);
    zero(out, columns);
    vector.add_rows(out, in, rows, columns);
    return;
  }
  float* partials = workspace<float>(Slot::kPartials, chunks * columns);
  parallel_ranges(rows, chunk, [&](std::int64_t begin, std::int64_t end) {
    produce(begin * columns, (end - begin) * columns);
    float* partial = partials + begin / chunk * columns;
    zero(partial, columns);
    vector.add_rows(partial, in + begin * columns, end - begin, columns);
  });
  sum_partials(out, partials, chunks, columns, columns);
}

}  // namespace

void sum_partials(float* out, const float* partials, std::int64_t parts, std::int64_t size,
                  std::int64_t step) {
  const VectorKernels& vector = *kernels().vector;
  const std::int64_t chunk = std::max(kMinPartialChunk, kSumChunk / std::max<std::int64_t>(1, parts));
  parallel_ranges(size, chunk, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t count = end - begin;
    std::memcpy(out + begin, partials + begin, static_cast<std::size_t>(count) * sizeof(float));
    for (std::int64_t part = 1; part < parts; ++part) {
      vector.add(out + begin, out + begin, partials + part * step + begin, count);
    }
  });
}

void column_sum(float* out, const float* in, std::int64_t rows, std::int64_t columns) {
  sum_columns(out, in, rows, columns, [](std::int64_t, std::int64_t) {});
}

void relu_backward_sum(float* dx, float* sums, const float* dy, const float* y, std::int64_t rows,
                       std::int64_t columns) {
  const auto relu = kernels().activation->relu.backward;
  sum_columns(sums, dx, rows, columns,
              [=](std::int64_t at, std::int64_t count) { relu(dx + at, dy + at, y + at, count, {}); });
}

float sum(const float* in, std::int64_t count, float factor) {
  const VectorKernels& vector = *kernels().vector;
  const std::int64_t chunks = std::max<std::int64_t>(1, (count + kSumChunk - 1) / kSumChunk);
  float* partials = workspace<float>(Slot::kPartials, chunks);
  partials[0] = 0;
  parallel_ranges(count, kSumChunk, [&](std::int64_t begin, std::int64_t end) {
    partials[begin / kSumChunk] = vector.sum(in + begin, end - begin);
  });
  return factor * vector.sum(partials, chunks);
}

bool is_finite(const float* in, std::int64_t count) {
  const VectorKernels& vector = *kernels().vector;
  std::atomic<bool> finite{true};
  parallel_ranges(count, kFiniteChunk, [&](std::int64_t begin, std::int64_t end) {
    // NaN and infinities reach every sum; only a sum that overflowed by itself needs a look at each element.
    if (std::isfinite(vector.sum(in + begin, end - begin))) return;
    const bool all = std::all_of(in + begin, in + end, [](float value) { return std::isfinite(value); });
    if (!all) finite.store(false, std::memory_order_relaxed);
  });
  return finite.load(std::memory_order_relaxed);
}

}  // namespace receptive::ops
