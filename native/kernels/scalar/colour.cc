// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/colour.inl.h"

namespace receptive {

extern const ColourKernels kScalarColour;
const ColourKernels kScalarColour = kColourKernels;

}  // namespace receptive
