// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels that turn stored images into the floats a network reads.
#pragma once

#include <cstdint>

namespace receptive {

// The channels' means and inverse deviations, repeated past the last channel so that a vector can be read
// from any channel on: entry i is that of channel i % channels.
struct Normalization {
  static constexpr int kMaxChannels = 16, kEntries = 2 * kMaxChannels;
  int channels;
  float mean[kEntries], inverse_deviation[kEntries];
};

struct GatherKernels {
  // out[i] = (image[i] * scale - mean) * inverse_deviation of channel i % channels, each operation rounded:
  // all instruction sets give the same bits. `image` begins with channel 0.
  void (*normalize_bytes)(float* out, const std::uint8_t* image, std::int64_t count, float scale,
                          const Normalization& by);
  void (*normalize_floats)(float* out, const float* image, std::int64_t count, float scale,
                           const Normalization& by);
};

}  // namespace receptive
