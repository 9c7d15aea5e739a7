// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/gather.inl.h"

namespace receptive {

extern const GatherKernels kScalarGather;
const GatherKernels kScalarGather = kGatherKernels;

}  // namespace receptive
