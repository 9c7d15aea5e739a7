// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/colour.inl.h"

namespace receptive {

extern const ColourKernels kAvx512Colour;
const ColourKernels kAvx512Colour = kColourKernels;

}  // namespace receptive
