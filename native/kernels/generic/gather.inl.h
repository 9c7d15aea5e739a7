// SPDX-License-Identifier: Apache-2.0
// Normalising images over the vector vocabulary. Include after a vec.h.
#pragma once

#include "kernels/gather_kernels.h"
#include "kernels/generic/lanes.inl.h"

namespace receptive {
namespace {

static_assert(kWidth <= Normalization::kEntries - Normalization::kMaxChannels + 1,
              "a vector must fit from the last channel on");

template <typename Range>
inline Vec load_pixels(const std::uint8_t* image, Range lanes) {
  return lanes.load_integers(image);
}
template <typename Range>
inline Vec load_pixels(const float* image, Range lanes) {
  return lanes.load(image);
}

template <typename Pixel, typename Range>
inline void normalize_vector(float* out, const Pixel* image, Vec scale, const Normalization& by, int channel,
                             Range lanes) {
  const Vec centred = sub(mul(load_pixels(image, lanes), scale), load(by.mean + channel));
  lanes.store(out, mul(centred, load(by.inverse_deviation + channel)));
}

template <typename Pixel>
void normalize(float* out, const Pixel* image, std::int64_t count, float scale, const Normalization& by) {
  const Vec factor = broadcast(scale);
  const int step = kWidth % by.channels;
  int channel = 0;  // of the vector's first element
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    normalize_vector(out + i, image + i, factor, by, channel, WholeVector{});
    channel += step;
    if (channel >= by.channels) channel -= by.channels;
  }
  if (i < count) normalize_vector(out + i, image + i, factor, by, channel, PartialVector(count - i));
}

constexpr GatherKernels kGatherKernels = {normalize<std::uint8_t>, normalize<float>};

}  // namespace
}  // namespace receptive
