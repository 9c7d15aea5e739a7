// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/batch_norm.inl.h"

namespace receptive {

extern const BatchNormKernels kAvx512BatchNorm;
const BatchNormKernels kAvx512BatchNorm = kBatchNormKernels;

}  // namespace receptive
