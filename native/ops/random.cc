// SPDX-License-Identifier: Apache-2.0
#include "ops/random.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "ops/philox.h"

namespace receptive::ops {
namespace {

static_assert(kElementwiseGrain % 4 == 0, "a task must begin with a block");

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

void dropout(float* y, const float* x, std::int64_t count, const RandomKey& key, double p,
             std::int64_t first) {
  const auto kernel = kernels().random->dropout;
  const float threshold = static_cast<float>(dropout_threshold(p));
  const float scale = static_cast<float>(dropout_scale(p));
  // The kernel begins with a block of numbers: what lies before the first whole one is done here.
  const std::int64_t head = std::min<std::int64_t>(count, (4 - first % 4) % 4);
  for (std::int64_t i = 0; i < head; ++i) {
    const std::uint32_t word = philox_block((first + i) / 4, key).words[(first + i) % 4];
    y[i] = x[i] * (static_cast<float>(word >> 8) < threshold ? 0.0f : scale);
  }
  const std::int64_t first_block = (first + head) / 4;
  parallel_ranges(count - head, kElementwiseGrain, [&](std::int64_t begin, std::int64_t end) {
    kernel(y + head + begin, x + head + begin, end - begin, first_block + begin / 4, key, threshold, scale);
  });
}

}  // namespace receptive::ops
