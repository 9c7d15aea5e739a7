// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/local_response_norm.inl.h"

namespace receptive {

extern const LocalResponseNormKernels kScalarLocalResponseNorm;
const LocalResponseNormKernels kScalarLocalResponseNorm = kLocalResponseNormKernels;

}  // namespace receptive
