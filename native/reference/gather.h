// SPDX-License-Identifier: Apache-2.0
// Picking and normalising images in double precision.
#pragma once

#include <cstdint>

namespace receptive::reference {

// mean_and_scale: the means of the channels, then their inverse deviations
template <typename Pixel>
void gather_images(double* out, const Pixel* source, const std::int32_t* indices, std::int64_t count,
                   std::int64_t image_size, double scale, std::int64_t channels,
                   const double* mean_and_scale) {
  for (std::int64_t i = 0; i < count * image_size; ++i) {
    const std::int64_t image = indices[i / image_size], element = i % image_size, c = element % channels;
    const double pixel = static_cast<double>(source[image * image_size + element]);
    out[i] = (pixel * scale - mean_and_scale[c]) * mean_and_scale[channels + c];
  }
}

}  // namespace receptive::reference
