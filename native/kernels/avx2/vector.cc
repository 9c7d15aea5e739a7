// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/vector.inl.h"

namespace receptive {

extern const VectorKernels kAvx2Vector;
const VectorKernels kAvx2Vector = kVectorKernels;

}  // namespace receptive
