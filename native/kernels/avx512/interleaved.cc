// SPDX-License-Identifier: Apache-2.0
// 6x4: 24 sums, 4 pixels and a weight use 29 of the 32 registers; 4x6 the same.
#include "kernels/avx512/vec.h"

namespace receptive {
namespace {
constexpr int kMaxChannels = 6, kMaxPixels = 4;
constexpr int kGradientChannels = 4, kGradientElements = 6;
}  // namespace
}  // namespace receptive

#include "kernels/generic/interleaved.inl.h"

namespace receptive {

extern const InterleavedKernels kAvx512Interleaved;
const InterleavedKernels kAvx512Interleaved = kInterleavedKernels;

}  // namespace receptive
