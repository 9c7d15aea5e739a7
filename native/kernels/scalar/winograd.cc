// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/winograd.inl.h"

namespace receptive {

extern const WinogradKernels kScalarWinograd;
const WinogradKernels kScalarWinograd = kWinogradKernels;

}  // namespace receptive
