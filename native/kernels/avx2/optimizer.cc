// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/optimizer.inl.h"

namespace receptive {

extern const OptimizerKernels kAvx2Optimizer;
const OptimizerKernels kAvx2Optimizer = kOptimizerKernels;

}  // namespace receptive
