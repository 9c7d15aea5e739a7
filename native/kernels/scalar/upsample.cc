// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/upsample.inl.h"

namespace receptive {

extern const UpsampleKernels kScalarUpsample;
const UpsampleKernels kScalarUpsample = kUpsampleKernels;

}  // namespace receptive
