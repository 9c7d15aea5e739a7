// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/upsample.inl.h"

namespace receptive {

extern const UpsampleKernels kAvx2Upsample;
const UpsampleKernels kAvx2Upsample = kUpsampleKernels;

}  // namespace receptive
