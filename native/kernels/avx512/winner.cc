// SPDX-License-Identifier: Apache-2.0
// 8 rows x 3 vectors: 24 sums and a weight use 26 of the 32 registers.
#include "kernels/avx512/vec.h"

namespace receptive {
namespace {
constexpr int kMaxBlockVecs = 3;
}  // namespace
}  // namespace receptive

#include "kernels/generic/winner.inl.h"

namespace receptive {

extern const WinnerKernels kAvx512Winner;
const WinnerKernels kAvx512Winner = kWinnerKernels;

}  // namespace receptive
