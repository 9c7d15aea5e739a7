// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/image.inl.h"

namespace receptive {

extern const ImageKernels kAvx2Image;
const ImageKernels kAvx2Image = kImageKernels;

}  // namespace receptive
