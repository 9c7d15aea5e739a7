// SPDX-License-Identifier: Apache-2.0
// Brightness, contrast, saturation and hue of normalised images.
#include "kernels/select.h"
#include "ops/augment.h"
#include "ops/augment_images.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// None of a whole page, so that the same pixel of two channels is not at the same place of two pages.
std::int64_t plane_stride(std::int64_t pixels) {
  const std::int64_t stride = ColourPlanes::stride_of(pixels);
  return stride % 1024 == 0 ? stride + ColourPlanes::kLanes : stride;
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
  const std::int64_t stride = plane_stride(pixels);
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    const ColourKernels& kernel = *kernels().colour;
    const ColourFactors factors = colour_factors(jitter, batch, index);
    const ColourPlanes planes = {workspace<float>(Slot::kTaskImage, channels * stride), pixels, stride,
                                 channels};
    kernel.to_planes(planes, in, deviation, mean, static_cast<float>(factors.brightness));
    const auto average = static_cast<float>(kernel.grey_sum(planes) / static_cast<double>(pixels));
    kernel.stretch(planes, average, static_cast<float>(factors.contrast),
                   static_cast<float>(factors.saturation));
    if (jitter.hue > 0) kernel.turn_hue(planes, static_cast<float>(factors.hue));
    kernel.from_planes(out, planes, mean, inverse);
  });
}

}  // namespace receptive::ops
