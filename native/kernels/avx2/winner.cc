// SPDX-License-Identifier: Apache-2.0
// 8 rows x 1 vector: 8 sums and a weight use 10 of the 16 registers.
#include "kernels/avx2/vec.h"

namespace receptive {
namespace {
constexpr int kMaxBlockVecs = 1;
}  // namespace
}  // namespace receptive

#include "kernels/generic/winner.inl.h"

namespace receptive {

extern const WinnerKernels kAvx2Winner;
const WinnerKernels kAvx2Winner = kWinnerKernels;

}  // namespace receptive
