// SPDX-License-Identifier: Apache-2.0
// A batch from a data set: images picked by index and normalised per channel.
#pragma once

#include <cstdint>

#include "kernels/gather_kernels.h"

namespace receptive::ops {

// out [count][image_size] = (source[indices[i]] * scale - mean) * inverse deviation. Pixel is uint8 or float.
template <typename Pixel>
void gather_images(float* out, const Pixel* source, const std::int32_t* indices, std::int64_t count,
                   std::int64_t image_size, float scale, const Normalization& by);

}  // namespace receptive::ops
