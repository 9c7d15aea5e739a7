// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/map_response_norm.inl.h"

namespace receptive {

extern const LocalResponseNormKernels kAvx2LocalResponseNorm;
const LocalResponseNormKernels kAvx2LocalResponseNorm = kLocalResponseNormKernels;

}  // namespace receptive
