// SPDX-License-Identifier: Apache-2.0
// Picking and normalising images in double precision.
#pragma once

#include <cstdint>
#include <vector>

#include "ops/gather_file.h"

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

// The same for bytes of a file. Returns the first position whose image could not be read, or -1.
inline std::int64_t gather_file(double* out, const ops::ImageFile& file, const std::int32_t* indices,
                                std::int64_t count, std::int64_t channels, const double* mean_and_scale) {
  std::vector<std::uint8_t> image(static_cast<std::size_t>(file.image_size));
  const std::int32_t first = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!ops::read_image(image.data(), file, indices[i])) return i;
    gather_images(out + i * file.image_size, image.data(), &first, 1, file.image_size, 1.0 / 255, channels,
                  mean_and_scale);
  }
  return -1;
}

}  // namespace receptive::reference
