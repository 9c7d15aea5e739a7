// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/softmax.inl.h"

namespace receptive {

extern const SoftmaxKernels kAvx2Softmax;
const SoftmaxKernels kAvx2Softmax = kSoftmaxKernels;

}  // namespace receptive
