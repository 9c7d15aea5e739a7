// SPDX-License-Identifier: Apache-2.0
// A batch from a data set that stays on disk: images read by index from an open file, and normalised.
#pragma once

#include <cstdint>

#include "kernels/gather_kernels.h"

namespace receptive::ops {

// Images of image_size bytes each, one after another from `offset` on, in the file of this descriptor.
struct ImageFile {
  int descriptor;
  std::int64_t offset, image_size;
};

// out [count][image_size] = (byte / 255 - mean) * inverse deviation. Returns the first position whose image
// could not be read whole, or -1.
std::int64_t gather_file(float* out, const ImageFile& file, const std::int32_t* indices, std::int64_t count,
                         const Normalization& by);

// One image; false where it could not be read whole.
bool read_image(std::uint8_t* out, const ImageFile& file, std::int64_t index);

}  // namespace receptive::ops
