// SPDX-License-Identifier: Apache-2.0
// One lane a vector.
#include "kernels/scalar/vec.h"

namespace receptive {
namespace {
constexpr int kMaxBlockVecs = 1;
}  // namespace
}  // namespace receptive

#include "kernels/generic/winner.inl.h"

namespace receptive {

extern const WinnerKernels kScalarWinner;
const WinnerKernels kScalarWinner = kWinnerKernels;

}  // namespace receptive
