// SPDX-License-Identifier: Apache-2.0
// Which layout the images of a recorded step have.
#pragma once

#include "plan/program.h"

namespace receptive::plan {

// Whether eager execution computes this forward pass of a convolution over interleaved float32 images.
bool is_interleaved_convolution(const Program& program, const Recorded& conv);

// Keeps what lies between convolutions over interleaved images (ops/conv2d_algorithm.h) interleaved:
// activations, poolings and their gradients. Returns how many passes of convolutions need no conversion of
// their own any more.
int keep_interleaved(Program* program);

}  // namespace receptive::plan
