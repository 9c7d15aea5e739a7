// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/vector.inl.h"

namespace receptive {

extern const VectorKernels kScalarVector;
const VectorKernels kScalarVector = kVectorKernels;

}  // namespace receptive
