// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/upsample.inl.h"

namespace receptive {

extern const UpsampleKernels kAvx512Upsample;
const UpsampleKernels kAvx512Upsample = kUpsampleKernels;

}  // namespace receptive
