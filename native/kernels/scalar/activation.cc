// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/activation.inl.h"

namespace receptive {

extern const ActivationKernels kScalarActivation;
const ActivationKernels kScalarActivation = kActivationKernels;

}  // namespace receptive
