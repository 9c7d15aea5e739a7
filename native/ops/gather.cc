// SPDX-License-Identifier: Apache-2.0
#include "ops/gather.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/elementwise.h"

namespace receptive::ops {
namespace {

auto kernel_for(const std::uint8_t*) { return kernels().gather->normalize_bytes; }
auto kernel_for(const float*) { return kernels().gather->normalize_floats; }

}  // namespace

template <typename Pixel>
void gather_images(float* out, const Pixel* source, const std::int32_t* indices, std::int64_t count,
                   std::int64_t image_size, float scale, const Normalization& by) {
  const auto kernel = kernel_for(source);
  const std::int64_t images = std::max<std::int64_t>(1, kElementwiseGrain / image_size);
  parallel_ranges(count, images, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      kernel(out + i * image_size, source + indices[i] * image_size, image_size, scale, by);
  });
}

template void gather_images(float*, const std::uint8_t*, const std::int32_t*, std::int64_t, std::int64_t,
                            float, const Normalization&);
template void gather_images(float*, const float*, const std::int32_t*, std::int64_t, std::int64_t, float,
                            const Normalization&);

}  // namespace receptive::ops
