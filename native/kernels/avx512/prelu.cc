// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/prelu.inl.h"

namespace receptive {

extern const PReluKernels kAvx512PRelu;
const PReluKernels kAvx512PRelu = kPReluKernels;

}  // namespace receptive
