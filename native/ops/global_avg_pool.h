// SPDX-License-Identifier: Apache-2.0
// The mean of all pixels of each image, channel by channel: average pooling whose window is the image. Row
// after row instead of channel after channel, which is how the pixels lie in memory.
#pragma once

#include <cstdint>

namespace receptive::ops {

struct GlobalPoolSize {
  std::int64_t batch, pixels, channels;
  std::int64_t image() const { return pixels * channels; }
};

// y [batch][channels] from x [batch][pixels][channels]
void global_avg_pool_forward(float* y, const float* x, const GlobalPoolSize& size);
void global_avg_pool_backward(float* dx, const float* dy, const GlobalPoolSize& size);

}  // namespace receptive::ops
