// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/image.inl.h"

namespace receptive {

extern const ImageKernels kAvx512Image;
const ImageKernels kAvx512Image = kImageKernels;

}  // namespace receptive
