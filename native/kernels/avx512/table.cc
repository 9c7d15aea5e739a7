// SPDX-License-Identifier: Apache-2.0
#include "kernels/tables.h"

namespace receptive {

extern const GemmKernels kAvx512Gemm;
extern const VectorKernels kAvx512Vector;
extern const ImageKernels kAvx512Image;
extern const Pool2dKernels kAvx512Pool2d;
extern const SoftmaxKernels kAvx512Softmax;
extern const RandomKernels kAvx512Random;
extern const OptimizerKernels kAvx512Optimizer;
extern const GatherKernels kAvx512Gather;
extern const BatchNormKernels kAvx512BatchNorm;
extern const InterleavedKernels kAvx512Interleaved;
extern const WinogradKernels kAvx512Winograd;
extern const WinnerKernels kAvx512Winner;
extern const WinnerKernels kAvx2Winner;
extern const UpsampleKernels kAvx512Upsample;
extern const ActivationKernels kAvx512Activation;
extern const LayerNormKernels kAvx512LayerNorm;
extern const LocalResponseNormKernels kAvx512LocalResponseNorm;
extern const PReluKernels kAvx512PRelu;
extern const DepthwiseKernels kAvx512Depthwise;
extern const LossKernels kAvx512Loss;
extern const WarpKernels kAvx512Warp;
extern const ColourKernels kAvx512Colour;

const KernelTable kAvx512Table = {"avx512",           &kAvx512Gemm,        &kAvx512Vector,
                                  &kAvx512Image,      &kAvx512Pool2d,      &kAvx512Softmax,
                                  &kAvx512Random,     &kAvx512Optimizer,   &kAvx512Gather,
                                  &kAvx512BatchNorm,  &kAvx512Interleaved, &kAvx512Winograd,
                                  &kAvx512Winner,     &kAvx2Winner,        &kAvx512Upsample,
                                  &kAvx512Activation, &kAvx512LayerNorm,   &kAvx512LocalResponseNorm,
                                  &kAvx512PRelu,      &kAvx512Depthwise,   &kAvx512Loss,
                                  &kAvx512Warp,       &kAvx512Colour};

}  // namespace receptive
