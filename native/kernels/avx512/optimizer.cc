// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/optimizer.inl.h"

namespace receptive {

extern const OptimizerKernels kAvx512Optimizer;
const OptimizerKernels kAvx512Optimizer = kOptimizerKernels;

}  // namespace receptive
