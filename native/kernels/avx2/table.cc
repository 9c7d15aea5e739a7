// SPDX-License-Identifier: Apache-2.0
#include "kernels/tables.h"

namespace receptive {

extern const GemmKernels kAvx2Gemm;
extern const VectorKernels kAvx2Vector;
extern const ImageKernels kAvx2Image;
extern const Pool2dKernels kAvx2Pool2d;
extern const SoftmaxKernels kAvx2Softmax;
extern const RandomKernels kAvx2Random;
extern const OptimizerKernels kAvx2Optimizer;
extern const GatherKernels kAvx2Gather;
extern const BatchNormKernels kAvx2BatchNorm;
extern const InterleavedKernels kAvx2Interleaved;
extern const WinogradKernels kAvx2Winograd;
extern const WinnerKernels kAvx2Winner;
extern const UpsampleKernels kAvx2Upsample;
extern const ActivationKernels kAvx2Activation;
extern const LayerNormKernels kAvx2LayerNorm;
extern const LocalResponseNormKernels kAvx2LocalResponseNorm;
extern const PReluKernels kAvx2PRelu;
extern const DepthwiseKernels kAvx2Depthwise;
extern const LossKernels kAvx2Loss;
extern const WarpKernels kAvx2Warp;
extern const ColourKernels kAvx2Colour;

const KernelTable kAvx2Table = {"avx2",           &kAvx2Gemm,        &kAvx2Vector,
                                &kAvx2Image,      &kAvx2Pool2d,      &kAvx2Softmax,
                                &kAvx2Random,     &kAvx2Optimizer,   &kAvx2Gather,
                                &kAvx2BatchNorm,  &kAvx2Interleaved, &kAvx2Winograd,
                                &kAvx2Winner,     &kAvx2Winner,      &kAvx2Upsample,
                                &kAvx2Activation, &kAvx2LayerNorm,   &kAvx2LocalResponseNorm,
                                &kAvx2PRelu,      &kAvx2Depthwise,   &kAvx2Loss,
                                &kAvx2Warp,       &kAvx2Colour};

}  // namespace receptive
