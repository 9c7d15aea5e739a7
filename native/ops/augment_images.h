// SPDX-License-Identifier: Apache-2.0
// How the images of a batch are shared out: a task takes whole images, so that each is changed by one thread.
#pragma once

#include <algorithm>
#include <cstdint>

#include "ops/augment_draws.h"
#include "ops/elementwise.h"

namespace receptive::ops {

// body(out, in, index) for each image
template <typename Body>
void for_each_image(float* y, const float* x, const AugmentedBatch& batch, const Body& body) {
  const std::int64_t size = batch.image_size();
  parallel_ranges(batch.count, std::max<std::int64_t>(1, kElementwiseGrain / size),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i)
                      body(y + i * size, x + i * size, batch.indices[i]);
                  });
}

}  // namespace receptive::ops
