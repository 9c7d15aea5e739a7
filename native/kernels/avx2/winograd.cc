// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/winograd.inl.h"

namespace receptive {

extern const WinogradKernels kAvx2Winograd;
const WinogradKernels kAvx2Winograd = kWinogradKernels;

}  // namespace receptive
