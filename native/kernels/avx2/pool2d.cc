// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/pool2d.inl.h"

namespace receptive {

extern const Pool2dKernels kAvx2Pool2d;
const Pool2dKernels kAvx2Pool2d = kPool2dKernels;

}  // namespace receptive
