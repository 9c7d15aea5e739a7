// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/prelu.inl.h"

namespace receptive {

extern const PReluKernels kAvx2PRelu;
const PReluKernels kAvx2PRelu = kPReluKernels;

}  // namespace receptive
