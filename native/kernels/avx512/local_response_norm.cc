// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/map_response_norm.inl.h"

namespace receptive {

extern const LocalResponseNormKernels kAvx512LocalResponseNorm;
const LocalResponseNormKernels kAvx512LocalResponseNorm = kLocalResponseNormKernels;

}  // namespace receptive
