// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/prelu.inl.h"

namespace receptive {

extern const PReluKernels kScalarPRelu;
const PReluKernels kScalarPRelu = kPReluKernels;

}  // namespace receptive
