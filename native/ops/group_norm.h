// SPDX-License-Identifier: Apache-2.0
// Group normalisation (Wu and He 2018) of images [samples][pixels][groups * width]: each sample has a mean
// and a variance for each group of channels. Sums go over fixed chunks, merged in order in double precision.
#pragma once

#include <cstdint>

namespace receptive::ops {

struct GroupNormSize {
  std::int64_t samples, pixels, groups, width;
  std::int64_t channels() const { return groups * width; }
  std::int64_t sample() const { return pixels * channels(); }
  std::int64_t elements() const { return samples * sample(); }
  std::int64_t statistics() const { return samples * groups; }
};

// y = (x - mean) * inverse_std * weight + bias, with weight and bias [channels]; null for ones and zeros.
// mean and inverse_std [samples][groups] are kept for the backward pass.
template <typename Float>
struct GroupNormOperands {
  Float *y, *mean, *inverse_std;
  const Float *x, *weight, *bias;
};

// Each output may be null.
template <typename Float>
struct GroupNormGradients {
  Float *dx, *dweight, *dbias;
  const Float *dy, *x, *mean, *inverse_std, *weight;
};

void group_norm_forward(const GroupNormOperands<float>& to, const GroupNormSize& size, double eps);
void group_norm_backward(const GroupNormGradients<float>& of, const GroupNormSize& size);

}  // namespace receptive::ops
