// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/map_response_norm.inl.h"

namespace receptive {

extern const LocalResponseNormKernels kScalarLocalResponseNorm;
const LocalResponseNormKernels kScalarLocalResponseNorm = kLocalResponseNormKernels;

}  // namespace receptive
