// SPDX-License-Identifier: Apache-2.0
// Layer normalisation (Ba et al. 2016) of a matrix [rows][width]: each row has a mean and a variance of its
// own. It is group normalisation with one pixel and one group, by other kernels: statistics lie along the
// rows.
#pragma once

#include "ops/group_norm.h"

namespace receptive::ops {

struct LayerNormSize {
  std::int64_t rows, width;
  std::int64_t elements() const { return rows * width; }
};

void layer_norm_forward(const GroupNormOperands<float>& to, const LayerNormSize& size, double eps);
void layer_norm_backward(const GroupNormGradients<float>& of, const LayerNormSize& size);

}  // namespace receptive::ops
