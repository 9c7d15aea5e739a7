// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/colour.inl.h"

namespace receptive {

extern const ColourKernels kAvx2Colour;
const ColourKernels kAvx2Colour = kColourKernels;

}  // namespace receptive
