// SPDX-License-Identifier: Apache-2.0
#include "kernels/tables.h"

namespace receptive {

extern const GemmKernels kScalarGemm;
extern const VectorKernels kScalarVector;
extern const ImageKernels kScalarImage;
extern const Pool2dKernels kScalarPool2d;
extern const SoftmaxKernels kScalarSoftmax;
extern const RandomKernels kScalarRandom;
extern const OptimizerKernels kScalarOptimizer;
extern const GatherKernels kScalarGather;
extern const BatchNormKernels kScalarBatchNorm;
extern const InterleavedKernels kScalarInterleaved;
extern const WinogradKernels kScalarWinograd;
extern const WinnerKernels kScalarWinner;
extern const UpsampleKernels kScalarUpsample;
extern const ActivationKernels kScalarActivation;
extern const LayerNormKernels kScalarLayerNorm;
extern const LocalResponseNormKernels kScalarLocalResponseNorm;
extern const PReluKernels kScalarPRelu;
extern const DepthwiseKernels kScalarDepthwise;
extern const LossKernels kScalarLoss;
extern const WarpKernels kScalarWarp;
extern const ColourKernels kScalarColour;

const KernelTable kScalarTable = {"scalar",           &kScalarGemm,        &kScalarVector,
                                  &kScalarImage,      &kScalarPool2d,      &kScalarSoftmax,
                                  &kScalarRandom,     &kScalarOptimizer,   &kScalarGather,
                                  &kScalarBatchNorm,  &kScalarInterleaved, &kScalarWinograd,
                                  &kScalarWinner,     &kScalarWinner,      &kScalarUpsample,
                                  &kScalarActivation, &kScalarLayerNorm,   &kScalarLocalResponseNorm,
                                  &kScalarPRelu,      &kScalarDepthwise,   &kScalarLoss,
                                  &kScalarWarp,       &kScalarColour};

}  // namespace receptive
