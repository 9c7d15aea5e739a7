// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/random.inl.h"

namespace receptive {

extern const RandomKernels kAvx2Random;
const RandomKernels kAvx2Random = kRandomKernels;

}  // namespace receptive
