// SPDX-License-Identifier: Apache-2.0
#include "kernels/tables.h"

namespace receptive {

extern const GemmKernels kScalarGemm;
extern const VectorKernels kScalarVector;
extern const ImageKernels kScalarImage;

const KernelTable kScalarTable = {"scalar", &kScalarGemm, &kScalarVector, &kScalarImage};

}  // namespace receptive
