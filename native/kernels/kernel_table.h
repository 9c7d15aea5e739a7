// SPDX-License-Identifier: Apache-2.0
// What one instruction set offers: a struct of function pointers and machine numbers per family of kernels.
// Ops read this table and hold no number of their own.
#pragma once

#include "kernels/activation_kernels.h"
#include "kernels/batch_norm_kernels.h"
#include "kernels/colour_kernels.h"
#include "kernels/depthwise_kernels.h"
#include "kernels/gather_kernels.h"
#include "kernels/gemm_kernels.h"
#include "kernels/image_kernels.h"
#include "kernels/interleaved_kernels.h"
#include "kernels/layer_norm_kernels.h"
#include "kernels/local_response_norm_kernels.h"
#include "kernels/loss_kernels.h"
#include "kernels/optimizer_kernels.h"
#include "kernels/pool2d_kernels.h"
#include "kernels/prelu_kernels.h"
#include "kernels/random_kernels.h"
#include "kernels/softmax_kernels.h"
#include "kernels/upsample_kernels.h"
#include "kernels/vector_kernels.h"
#include "kernels/warp_kernels.h"
#include "kernels/winner_kernels.h"
#include "kernels/winograd_kernels.h"

namespace receptive {

struct KernelTable {
  const char* isa;  // "scalar", "avx2", "avx512"
  const GemmKernels* gemm;
  const VectorKernels* vector;
  const ImageKernels* image;
  const Pool2dKernels* pool2d;
  const SoftmaxKernels* softmax;
  const RandomKernels* random;
  const OptimizerKernels* optimizer;
  const GatherKernels* gather;
  const BatchNormKernels* batch_norm;
  const InterleavedKernels* interleaved;
  const WinogradKernels* winograd;
  const WinnerKernels* winner;
  const WinnerKernels* narrow_winner;  // for rows of at most 8 floats
  const UpsampleKernels* upsample;
  const ActivationKernels* activation;
  const LayerNormKernels* layer_norm;
  const LocalResponseNormKernels* local_response_norm;
  const PReluKernels* prelu;
  const DepthwiseKernels* depthwise;
  const LossKernels* loss;
  const WarpKernels* warp;
  const ColourKernels* colour;
};

}  // namespace receptive
