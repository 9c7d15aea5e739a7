// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/random.inl.h"

namespace receptive {

extern const RandomKernels kScalarRandom;
const RandomKernels kScalarRandom = kRandomKernels;

}  // namespace receptive
