// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/gather.inl.h"

namespace receptive {

extern const GatherKernels kAvx2Gather;
const GatherKernels kAvx2Gather = kGatherKernels;

}  // namespace receptive
