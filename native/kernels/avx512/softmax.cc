// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/softmax.inl.h"

namespace receptive {

extern const SoftmaxKernels kAvx512Softmax;
const SoftmaxKernels kAvx512Softmax = kSoftmaxKernels;

}  // namespace receptive
