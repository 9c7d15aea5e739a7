// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/batch_norm.inl.h"

namespace receptive {

extern const BatchNormKernels kScalarBatchNorm;
const BatchNormKernels kScalarBatchNorm = kBatchNormKernels;

}  // namespace receptive
