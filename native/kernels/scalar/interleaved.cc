// SPDX-License-Identifier: Apache-2.0
// The compiler turns the sixteen floats of a sum into vectors of the platform's baseline.
#include "kernels/scalar/vec.h"

namespace receptive {
namespace {
constexpr int kMaxChannels = 2, kMaxPixels = 1;
constexpr int kGradientChannels = 2, kGradientElements = 1;
}  // namespace
}  // namespace receptive

#include "kernels/generic/interleaved.inl.h"

namespace receptive {

extern const InterleavedKernels kScalarInterleaved;
const InterleavedKernels kScalarInterleaved = kInterleavedKernels;

}  // namespace receptive
