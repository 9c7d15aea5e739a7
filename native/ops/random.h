// SPDX-License-Identifier: Apache-2.0
// Tensors of random numbers, and dropout. The same key gives the same bits on any number of threads and any
// instruction set.
#pragma once

#include <cstdint>

#include "kernels/random_kernels.h"

namespace receptive::ops {

// Uniform in [low, high); rounding can reach `high` where it has fewer than 24 bits below it.
void random_uniform(float* out, std::int64_t count, const RandomKey& key, double low, double high);

// Normal by Box and Muller, computed in double: elements 2j and 2j + 1 are one pair.
void random_normal(float* out, std::int64_t count, const RandomKey& key, double mean, double deviation);
void random_normal(double* out, std::int64_t count, const RandomKey& key, double mean, double deviation);

// A uniformly random order of 0..count-1 (Fisher and Yates).
void random_permutation(std::int32_t* out, std::int64_t count, const RandomKey& key);

// y = x / (1 - p) with probability 1 - p, else 0. With dy for x it gives dx. y may be x. Element i gets
// number first + i of the key.
void dropout(float* y, const float* x, std::int64_t count, const RandomKey& key, double p,
             std::int64_t first);

// x is [samples][repeats][groups]; all elements of a group of a sample fare alike: with channels as groups,
// whole feature maps are dropped. Group j of sample i gets number first + i * groups + j of the key. y may be
// x.
struct DropoutGroups {
  std::int64_t samples, repeats, groups;
};
void dropout_groups(float* y, const float* x, const DropoutGroups& size, const RandomKey& key, double p,
                    std::int64_t first);

// The number of an element, a group or a sample: whether it is kept.
bool dropout_keeps(std::int64_t number, const RandomKey& key, double p);

// An element is kept if the upper 24 bits of its word reach this number.
double dropout_threshold(double p);
double dropout_scale(double p);

}  // namespace receptive::ops
