// SPDX-License-Identifier: Apache-2.0
// Brightness, contrast and saturation of normalised images.
#include "ops/augment.h"
#include "ops/augment_images.h"

namespace receptive::ops {
namespace {

float within_unit(float value) { return value < 0 ? 0.0f : (value > 1 ? 1.0f : value); }

// What the eye takes for brightness (ITU-R BT.601) of red, green and blue; the mean of other numbers of
// channels.
float grey_of(const float* pixel, std::int64_t channels) {
  if (channels == 3) return 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
  float sum = 0;
  for (std::int64_t c = 0; c < channels; ++c) sum += pixel[c];
  return sum / static_cast<float>(channels);
}

}  // namespace

void jitter_colours(float* y, const float* x, const AugmentedBatch& batch, const ColourJitter& jitter) {
  const std::int64_t channels = batch.channels, pixels = batch.pixels();
  float mean[AugmentedBatch::kMaxChannels], deviation[AugmentedBatch::kMaxChannels];
  float inverse[AugmentedBatch::kMaxChannels];
  for (std::int64_t c = 0; c < channels; ++c) {
    mean[c] = static_cast<float>(jitter.mean[c]);
    deviation[c] = static_cast<float>(jitter.deviation[c]);
    inverse[c] = static_cast<float>(1 / jitter.deviation[c]);
  }
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    const ColourFactors factors = colour_factors(jitter, batch, index);
    const auto brightness = static_cast<float>(factors.brightness);
    const auto contrast = static_cast<float>(factors.contrast);
    const auto saturation = static_cast<float>(factors.saturation);
    double sum = 0;
    for (std::int64_t i = 0; i < pixels; ++i) {
      float* pixel = out + i * channels;
      for (std::int64_t c = 0; c < channels; ++c)
        pixel[c] = within_unit((in[i * channels + c] * deviation[c] + mean[c]) * brightness);
      sum += static_cast<double>(grey_of(pixel, channels));
    }
    const auto average = static_cast<float>(sum / static_cast<double>(pixels));
    for (std::int64_t i = 0; i < pixels; ++i) {
      float* pixel = out + i * channels;
      for (std::int64_t c = 0; c < channels; ++c)
        pixel[c] = within_unit(average + contrast * (pixel[c] - average));
      const float grey = grey_of(pixel, channels);
      for (std::int64_t c = 0; c < channels; ++c)
        pixel[c] = (within_unit(grey + saturation * (pixel[c] - grey)) - mean[c]) * inverse[c];
    }
  });
}

}  // namespace receptive::ops
