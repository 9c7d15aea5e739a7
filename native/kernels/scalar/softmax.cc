// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/softmax.inl.h"

namespace receptive {

extern const SoftmaxKernels kScalarSoftmax;
const SoftmaxKernels kScalarSoftmax = kSoftmaxKernels;

}  // namespace receptive
