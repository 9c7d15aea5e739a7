// SPDX-License-Identifier: Apache-2.0
#include "kernels/scalar/vec.h"
//
#include "kernels/generic/layer_norm.inl.h"

namespace receptive {

extern const LayerNormKernels kScalarLayerNorm;
const LayerNormKernels kScalarLayerNorm = kLayerNormKernels;

}  // namespace receptive
