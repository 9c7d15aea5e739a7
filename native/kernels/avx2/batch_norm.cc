// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/batch_norm.inl.h"

namespace receptive {

extern const BatchNormKernels kAvx2BatchNorm;
const BatchNormKernels kAvx2BatchNorm = kBatchNormKernels;

}  // namespace receptive
