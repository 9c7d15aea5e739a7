// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/optimizer.inl.h"

namespace receptive {

extern const OptimizerKernels kScalarOptimizer;
const OptimizerKernels kScalarOptimizer = kOptimizerKernels;

}  // namespace receptive
