// SPDX-License-Identifier: Apache-2.0
#include "kernels/avx512/vec.h"
//
#include "kernels/generic/layer_norm.inl.h"

namespace receptive {

extern const LayerNormKernels kAvx512LayerNorm;
const LayerNormKernels kAvx512LayerNorm = kLayerNormKernels;

}  // namespace receptive
