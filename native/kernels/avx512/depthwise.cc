// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/depthwise.inl.h"

namespace receptive {

extern const DepthwiseKernels kAvx512Depthwise;
const DepthwiseKernels kAvx512Depthwise = kDepthwiseKernels;

}  // namespace receptive
