// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/pool2d.inl.h"

namespace receptive {

extern const Pool2dKernels kScalarPool2d;
const Pool2dKernels kScalarPool2d = kPool2dKernels;

}  // namespace receptive
