// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/loss.inl.h"

namespace receptive {

extern const LossKernels kAvx2Loss;
const LossKernels kAvx2Loss = kLossKernels;

}  // namespace receptive
