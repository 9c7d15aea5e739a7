// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/warp.inl.h"

namespace receptive {

extern const WarpKernels kAvx2Warp;
const WarpKernels kAvx2Warp = kWarpKernels;

}  // namespace receptive
