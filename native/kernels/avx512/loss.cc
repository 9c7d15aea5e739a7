// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/loss.inl.h"

namespace receptive {

extern const LossKernels kAvx512Loss;
const LossKernels kAvx512Loss = kLossKernels;

}  // namespace receptive
