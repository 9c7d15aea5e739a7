// SPDX-License-Identifier: Apache-2.0
// 6x16: 12 accumulators, 2 vectors of B and a broadcast use 15 of the 16 registers.
#include "kernels/avx2/vec.h"

namespace receptive {
namespace {
constexpr int kMaxVecs = 2;
constexpr int kMaxNarrowVecs = 1;
// How far ahead rows of B are asked for: 32 rows are 2 KiB, about 200 cycles of a full tile. One
// thread of a Zen 4, 2048 cubed, share of peak: 8, 16, 32, 64 rows 82, 83, 85, 84 %.
constexpr int kPrefetchRows = 32;
}  // namespace
}  // namespace receptive

#include "kernels/generic/gemm.inl.h"

namespace receptive {

// One thread of a Zen 4, 1024 and 2048 cubed, share of peak: depth 256, 384, 512, 768, 1024, 2048: 82 and 79,
// 87 and 78, 90 and 85, 90 and 87, 91 and 89, 91 and 90 %. 48 and 144 instead of 96 rows: within the noise, 3
// % slower.
constexpr int kDepthBlock = 1024;
constexpr int kRowBlock = 96;

extern const GemmKernels kAvx2Gemm;
const GemmKernels kAvx2Gemm = {kWidth,    16,     {0, 12, 6, 0, 0}, kDepthBlock, kRowBlock,
                               gemm_tile, pack_a, pack_columns,     fma_loop,    kPeakFlops};

}  // namespace receptive
