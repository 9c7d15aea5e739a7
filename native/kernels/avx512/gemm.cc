// SPDX-License-Identifier: Apache-2.0
// 6x64: 24 accumulators, 4 vectors of B and a broadcast use 29 of the 32 registers.
#include "kernels/avx512/vec.h"

namespace receptive {
namespace {
constexpr int kMaxVecs = 4;
constexpr int kMaxNarrowVecs = 2;
}  // namespace
}  // namespace receptive

#include "kernels/generic/gemm.inl.h"

namespace receptive {

extern const GemmKernels kAvx512Gemm;
const GemmKernels kAvx512Gemm = {kWidth, 64, {0, 12, 12, 6, 6}, 512, 96, gemm_tile, fma_loop, kPeakFlops};

}  // namespace receptive
