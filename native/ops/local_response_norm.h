// SPDX-License-Identifier: Apache-2.0
// Local response normalisation. Across channels (Krizhevsky, Sutskever and Hinton 2012), of a matrix
// [rows][channels]: x / (k + alpha / size * sum of the squares of `size` neighbouring channels)^beta,
// channels from c - size / 2 on, as in PyTorch. Within a map (cuda-convnet), of images [n][h][w][c]: the same
// of size x size pixels of one channel, with alpha / size^2.
#pragma once

#include <cstdint>

namespace receptive::ops {

struct LocalResponseNormOptions {
  std::int64_t size;
  double alpha, beta, k;
};

void local_response_norm_forward(float* y, const float* x, std::int64_t rows, std::int64_t channels,
                                 const LocalResponseNormOptions& options);
// The sums of the forward pass are taken again.
void local_response_norm_backward(float* dx, const float* dy, const float* x, std::int64_t rows,
                                  std::int64_t channels, const LocalResponseNormOptions& options);

struct ResponseImages {
  std::int64_t n, h, w, c;
};

void map_response_norm_forward(float* y, const float* x, const ResponseImages& images,
                               const LocalResponseNormOptions& options);
void map_response_norm_backward(float* dx, const float* dy, const float* x, const ResponseImages& images,
                                const LocalResponseNormOptions& options);

}  // namespace receptive::ops
