// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx2/vec.h"
//
#include "kernels/generic/layer_norm.inl.h"

namespace receptive {

extern const LayerNormKernels kAvx2LayerNorm;
const LayerNormKernels kAvx2LayerNorm = kLayerNormKernels;

}  // namespace receptive
