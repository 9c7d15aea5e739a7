// SPDX-License-Identifier: Apache-2.0
#include "ops/random.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "ops/philox.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

static_assert(kElementwiseGrain % 4 == 0, "a task must begin with a block");

// Elements of a vector kernel's call from which on the call itself does not count.
constexpr std::int64_t kShortRow = 512;

constexpr double kTau = 6.283185307179586476925286766559;

template <typename Float>
void fill_normal(Float* out, std::int64_t count, const RandomKey& key, double mean, double deviation) {
  parallel_ranges(count, kElementwiseGrain, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; i += 4) {
      const PhiloxBlock block = philox_block(i / 4, key);
      for (std::int64_t pair = 0; pair < 4 && i + pair < end; pair += 2) {
        // 1 - u lies in (0, 1]
        const double radius = std::sqrt(-2.0 * std::log(1.0 - unit_interval(block.words[pair])));
        const double angle = kTau * unit_interval(block.words[pair + 1]);
        out[i + pair] = static_cast<Float>(mean + deviation * (radius * std::cos(angle)));
        if (i + pair + 1 < end)
          out[i + pair + 1] = static_cast<Float>(mean + deviation * (radius * std::sin(angle)));
      }
    }
  });
}

}  // namespace

void random_uniform(float* out, std::int64_t count, const RandomKey& key, double low, double high) {
  const auto kernel = kernels().random->uniform;
  const float from = static_cast<float>(low), range = static_cast<float>(high - low);
  parallel_ranges(count, kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    kernel(out + begin, end - begin, begin / 4, key, from, range);
  });
}

void random_normal(float* out, std::int64_t count, const RandomKey& key, double mean, double deviation) {
  fill_normal(out, count, key, mean, deviation);
}
void random_normal(double* out, std::int64_t count, const RandomKey& key, double mean, double deviation) {
  fill_normal(out, count, key, mean, deviation);
}

void random_permutation(std::int32_t* out, std::int64_t count, const RandomKey& key) {
  PhiloxSequence sequence(key);
  for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<std::int32_t>(i);
  for (std::int64_t i = count - 1; i > 0; --i)
    std::swap(out[i], out[sequence.below(static_cast<std::uint32_t>(i + 1))]);
}

double dropout_threshold(double p) { return std::ceil(p * 0x1p24); }
double dropout_scale(double p) { return p < 1 ? 1 / (1 - p) : 0; }

bool dropout_keeps(std::int64_t number, const RandomKey& key, double p) {
  return unit_interval(philox_block(number / 4, key).words[number % 4]) >= p;
}

void dropout(float* y, const float* x, std::int64_t count, const RandomKey& key, double p,
             std::int64_t first) {
  const auto kernel = kernels().random->dropout;
  const float threshold = static_cast<float>(dropout_threshold(p));
  const float scale = static_cast<float>(dropout_scale(p));
  // The kernel begins with a block of numbers: what lies before the first whole one is done here.
  const std::int64_t head = std::min<std::int64_t>(count, (4 - first % 4) % 4);
  for (std::int64_t i = 0; i < head; ++i) y[i] = x[i] * (dropout_keeps(first + i, key, p) ? scale : 0.0f);
  const std::int64_t first_block = (first + head) / 4;
  parallel_ranges(count - head, kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    kernel(y + head + begin, x + head + begin, end - begin, first_block + begin / 4, key, threshold, scale);
  });
}

namespace {

// What numbers first..first + count - 1 of a key make of their groups: 0, or the scale of what is kept
void fill_factors(float* factors, std::int64_t count, std::int64_t first, const RandomKey& key, double p) {
  const float scale = static_cast<float>(dropout_scale(p));
  PhiloxBlock block{};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t number = first + i;
    if (i == 0 || number % 4 == 0) block = philox_block(number / 4, key);
    factors[i] = unit_interval(block.words[number % 4]) >= p ? scale : 0.0f;
  }
}

}  // namespace

void dropout_groups(float* y, const float* x, const DropoutGroups& size, const RandomKey& key, double p,
                    std::int64_t first) {
  const VectorKernels& vector = *kernels().vector;
  const float scale = static_cast<float>(dropout_scale(p));
  if (size.groups == 1) {  // whole samples
    const std::int64_t grain = std::min(kElementwiseGrain, size.repeats);
    const std::int64_t pieces = (size.repeats + grain - 1) / grain;
    parallel_ranges(
        size.samples * pieces, kElementwiseGrain / grain, [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t at = i / pieces * size.repeats + i % pieces * grain;
            const std::int64_t count = std::min(grain, size.repeats - i % pieces * grain);
            vector.scale(y + at, x + at, dropout_keeps(first + i / pieces, key, p) ? scale : 0.0f, count);
          }
        });
    return;
  }
  // A row of factors long enough that calls of the kernel do not count: a few pixels of few channels.
  const std::int64_t pixels = std::clamp<std::int64_t>(kShortRow / size.groups, 1, size.repeats);
  const std::int64_t image = size.repeats * size.groups, row = pixels * size.groups;
  const std::int64_t grain = std::max<std::int64_t>(1, kElementwiseGrain / image);
  parallel_ranges(size.samples, grain, [&](std::int64_t begin, std::int64_t end) {
    float* factors = workspace<float>(Slot::kTaskResult, row);
    for (std::int64_t sample = begin; sample < end; ++sample) {
      fill_factors(factors, size.groups, first + sample * size.groups, key, p);
      for (std::int64_t i = size.groups; i < row; ++i) factors[i] = factors[i - size.groups];
      for (std::int64_t at = 0; at < image; at += row)
        vector.multiply(y + sample * image + at, x + sample * image + at, factors, std::min(row, image - at));
    }
  });
}

}  // namespace receptive::ops
