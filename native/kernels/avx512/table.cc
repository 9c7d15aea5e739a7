// SPDX-License-Identifier: Apache-2.0
#include "kernels/tables.h"

namespace receptive {

extern const GemmKernels kAvx512Gemm;
extern const VectorKernels kAvx512Vector;
extern const ImageKernels kAvx512Image;

const KernelTable kAvx512Table = {"avx512", &kAvx512Gemm, &kAvx512Vector, &kAvx512Image};

}  // namespace receptive
