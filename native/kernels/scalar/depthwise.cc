// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/depthwise.inl.h"

namespace receptive {

extern const DepthwiseKernels kScalarDepthwise;
const DepthwiseKernels kScalarDepthwise = kDepthwiseKernels;

}  // namespace receptive
