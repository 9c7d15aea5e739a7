// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/winograd.inl.h"

namespace receptive {

extern const WinogradKernels kAvx512Winograd;
const WinogradKernels kAvx512Winograd = kWinogradKernels;

}  // namespace receptive
