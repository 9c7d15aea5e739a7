// SPDX-License-Identifier: Apache-2.0
// 6x64: 24 accumulators, 4 vectors of B and a broadcast use 29 of the 32 registers.
#include "kernels/avx512/vec.h"

namespace receptive {
namespace {
constexpr int kMaxVecs = 4;
constexpr int kMaxNarrowVecs = 2;
// How far ahead rows of B are asked for: 16 rows are 4 KiB, about 200 cycles of a full tile, more than
// the far cache takes (1 to 2 % at 1024 and 2048 cubed; 4 and 8 rows brought less).
constexpr int kPrefetchRows = 16;
}  // namespace
}  // namespace receptive

#include "kernels/generic/gemm.inl.h"

namespace receptive {

// Sapphire Rapids, one thread, 1024 cubed, share of peak without packing (2.5 %): depth 256, 512, 768, 1024
// with 192 rows: 71, 76, 76, 78 %; MKL, whole, 77 %. A block of A (144 x 1024) and a piece of a panel of B
// (1024 x 64) take 832 KiB, which the 1 MiB near cache of Zen 4 holds too.
constexpr int kDepthBlock = 1024;
constexpr int kRowBlock = 144;

extern const GemmKernels kAvx512Gemm;
const GemmKernels kAvx512Gemm = {kWidth,    64,     {0, 12, 12, 6, 6}, kDepthBlock, kRowBlock,
                                 gemm_tile, pack_a, pack_columns,      fma_loop,    kPeakFlops};

}  // namespace receptive
