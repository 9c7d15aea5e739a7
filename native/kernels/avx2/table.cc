// SPDX-License-Identifier: Apache-2.0
#include "kernels/tables.h"

namespace receptive {

extern const GemmKernels kAvx2Gemm;
extern const VectorKernels kAvx2Vector;
extern const ImageKernels kAvx2Image;

const KernelTable kAvx2Table = {"avx2", &kAvx2Gemm, &kAvx2Vector, &kAvx2Image};

}  // namespace receptive
