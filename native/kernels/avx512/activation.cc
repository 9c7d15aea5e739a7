// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/activation.inl.h"

namespace receptive {

extern const ActivationKernels kAvx512Activation;
const ActivationKernels kAvx512Activation = kActivationKernels;

}  // namespace receptive
