// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/loss.inl.h"

namespace receptive {

extern const LossKernels kScalarLoss;
const LossKernels kScalarLoss = kLossKernels;

}  // namespace receptive
