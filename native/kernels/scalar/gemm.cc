// SPDX-License-Identifier: Apache-2.0
// 6x4 of single floats: the portable fallback, which the compiler may vectorise for its baseline.
#include "kernels/scalar/vec.h"

namespace receptive {
namespace {
constexpr int kMaxVecs = 4;
constexpr int kMaxNarrowVecs = 0;
// How far ahead rows of B are asked for: nothing was measured.
constexpr int kPrefetchRows = 16;
}  // namespace
}  // namespace receptive

#include "kernels/generic/gemm.inl.h"

namespace receptive {

extern const GemmKernels kScalarGemm;
const GemmKernels kScalarGemm = {kWidth,    4,      {0, 6, 6, 6, 6}, 512,      96,
                                 gemm_tile, pack_a, pack_columns,    fma_loop, kPeakFlops};

}  // namespace receptive
