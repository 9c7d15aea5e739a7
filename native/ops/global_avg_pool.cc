// SPDX-License-Identifier: Apache-2.0
#include "ops/global_avg_pool.h"

#include <algorithm>
#include <cstring>

#include "kernels/select.h"
#include "ops/elementwise.h"

namespace receptive::ops {
namespace {

// body(image) in parallel, in tasks of at least kElementwiseGrain elements
template <typename Body>
void for_images(const GlobalPoolSize& size, const Body& body) {
  const std::int64_t grain = std::max<std::int64_t>(1, kElementwiseGrain / size.image());
  parallel_ranges(size.batch, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t image = begin; image < end; ++image) body(image);
  });
}

std::size_t row_bytes(const GlobalPoolSize& size) {
  return static_cast<std::size_t>(size.channels) * sizeof(float);
}

}  // namespace

void global_avg_pool_forward(float* y, const float* x, const GlobalPoolSize& size) {
  const VectorKernels& vector = *kernels().vector;
  const float share = 1.0f / static_cast<float>(size.pixels);
  for_images(size, [&](std::int64_t image) {
    float* total = y + image * size.channels;
    const float* row = x + image * size.image();
    std::memcpy(total, row, row_bytes(size));
    for (std::int64_t pixel = 1; pixel < size.pixels; ++pixel)
      vector.add(total, total, row + pixel * size.channels, size.channels);
    vector.scale(total, total, share, size.channels);
  });
}

void global_avg_pool_backward(float* dx, const float* dy, const GlobalPoolSize& size) {
  const VectorKernels& vector = *kernels().vector;
  const float share = 1.0f / static_cast<float>(size.pixels);
  for_images(size, [&](std::int64_t image) {
    float* first = dx + image * size.image();
    vector.scale(first, dy + image * size.channels, share, size.channels);
    for (std::int64_t pixel = 1; pixel < size.pixels; ++pixel)
      std::memcpy(first + pixel * size.channels, first, row_bytes(size));
  });
}

}  // namespace receptive::ops
