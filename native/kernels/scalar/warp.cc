// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/warp.inl.h"

namespace receptive {

extern const WarpKernels kScalarWarp;
const WarpKernels kScalarWarp = kWarpKernels;

}  // namespace receptive
