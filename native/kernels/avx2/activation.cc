// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/activation.inl.h"

namespace receptive {

extern const ActivationKernels kAvx2Activation;
const ActivationKernels kAvx2Activation = kActivationKernels;

}  // namespace receptive
