// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/random.inl.h"

namespace receptive {

extern const RandomKernels kAvx512Random;
const RandomKernels kAvx512Random = kRandomKernels;

}  // namespace receptive
