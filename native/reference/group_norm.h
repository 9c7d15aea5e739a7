// SPDX-License-Identifier: Apache-2.0
// Group normalisation in double precision, one sample and one group at a time; layer normalisation is that
// with one pixel and one group.
#pragma once

#include "ops/group_norm.h"

namespace receptive::reference {

void group_norm_forward(const ops::GroupNormOperands<double>& to, const ops::GroupNormSize& size, double eps);
void group_norm_backward(const ops::GroupNormGradients<double>& of, const ops::GroupNormSize& size);

}  // namespace receptive::reference
