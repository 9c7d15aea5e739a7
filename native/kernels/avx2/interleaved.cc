// SPDX-License-Identifier: Apache-2.0
// 6x1: 12 sums of two vectors each, a pixel and a weight use 15 of the 16 registers.
#include "kernels/avx2/vec.h"

namespace receptive {
namespace {
constexpr int kMaxChannels = 6, kMaxPixels = 1;
constexpr int kGradientChannels = 2, kGradientElements = 3;
}  // namespace
}  // namespace receptive

#include "kernels/generic/interleaved.inl.h"

namespace receptive {

extern const InterleavedKernels kAvx2Interleaved;
const InterleavedKernels kAvx2Interleaved = kInterleavedKernels;

}  // namespace receptive
