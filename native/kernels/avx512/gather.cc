// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/gather.inl.h"

namespace receptive {

extern const GatherKernels kAvx512Gather;
const GatherKernels kAvx512Gather = kGatherKernels;

}  // namespace receptive
