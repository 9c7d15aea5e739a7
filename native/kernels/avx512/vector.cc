// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/vector.inl.h"

namespace receptive {

extern const VectorKernels kAvx512Vector;
const VectorKernels kAvx512Vector = kVectorKernels;

}  // namespace receptive
