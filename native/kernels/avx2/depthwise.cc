// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/depthwise.inl.h"

namespace receptive {

extern const DepthwiseKernels kAvx2Depthwise;
const DepthwiseKernels kAvx2Depthwise = kDepthwiseKernels;

}  // namespace receptive
