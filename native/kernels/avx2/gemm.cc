// SPDX-License-Identifier: Apache-2.0
// 6x16: 12 accumulators, 2 vectors of B and a broadcast use 15 of the 16 registers.
#include "kernels/avx2/vec.h"

namespace receptive {
namespace {
constexpr int kMaxVecs = 2;
constexpr int kMaxNarrowVecs = 1;
}  // namespace
}  // namespace receptive

#include "kernels/generic/gemm.inl.h"

namespace receptive {

extern const GemmKernels kAvx2Gemm;
const GemmKernels kAvx2Gemm = {kWidth,    16,     {0, 12, 6, 0, 0}, 512,      96,
                               gemm_tile, pack_a, pack_columns,     fma_loop, kPeakFlops};

}  // namespace receptive
