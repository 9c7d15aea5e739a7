// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/warp.inl.h"

namespace receptive {

extern const WarpKernels kAvx512Warp;
const WarpKernels kAvx512Warp = kWarpKernels;

}  // namespace receptive
