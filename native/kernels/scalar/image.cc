// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/image.inl.h"

namespace receptive {

extern const ImageKernels kScalarImage;
const ImageKernels kScalarImage = kImageKernels;

}  // namespace receptive
