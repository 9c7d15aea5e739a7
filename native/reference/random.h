// SPDX-License-Identifier: Apache-2.0
// Uniform numbers and dropout in double precision, from one word after another.
#pragma once

#include <cstdint>

#include "ops/philox.h"
#include "ops/random.h"

namespace receptive::reference {

inline void random_uniform(double* out, std::int64_t count, const RandomKey& key, double low, double high) {
  ops::PhiloxSequence sequence(key);
  for (std::int64_t i = 0; i < count; ++i) out[i] = low + (high - low) * ops::unit_interval(sequence.word());
}

inline void dropout(double* y, const double* x, std::int64_t count, const RandomKey& key, double p,
                    std::int64_t first) {
  ops::PhiloxSequence sequence(key);
  for (std::int64_t i = 0; i < first; ++i) sequence.word();
  for (std::int64_t i = 0; i < count; ++i) {
    const bool kept = ops::unit_interval(sequence.word()) >= p;
    y[i] = x[i] * (kept ? ops::dropout_scale(p) : 0.0);
  }
}

inline void dropout_groups(double* y, const double* x, const ops::DropoutGroups& size, const RandomKey& key,
                           double p, std::int64_t first) {
  for (std::int64_t i = 0; i < size.samples * size.repeats * size.groups; ++i) {
    const std::int64_t sample = i / size.groups / size.repeats, group = i % size.groups;
    const bool kept = ops::dropout_keeps(first + sample * size.groups + group, key, p);
    y[i] = x[i] * (kept ? ops::dropout_scale(p) : 0.0);
  }
}

}  // namespace receptive::reference
