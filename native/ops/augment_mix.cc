// SPDX-License-Identifier: Apache-2.0
// Two images in one, and their labels.
#include <cstring>

#include "ops/augment.h"
#include "ops/augment_images.h"

namespace receptive::ops {

void mix_images(float* y, const float* x, const AugmentedBatch& batch, const Mix& mix) {
  const std::int64_t size = batch.image_size();
  parallel_ranges(batch.count, std::max<std::int64_t>(1, kElementwiseGrain / size),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const Mixed mixed = mix_of(mix, batch, batch.indices[i]);
                      const float *own = x + i * size, *other = x + (batch.count - 1 - i) * size;
                      float* out = y + i * size;
                      const auto share = static_cast<float>(mix.is_cut ? 1 : mixed.share), rest = 1 - share;
                      if (share == 1)
                        std::memcpy(out, own, static_cast<std::size_t>(size) * sizeof(float));
                      else
                        for (std::int64_t k = 0; k < size; ++k) out[k] = share * own[k] + rest * other[k];
                      const Box& box = mixed.box;
                      for (std::int64_t row = box.top; row < box.bottom; ++row) {
                        const std::int64_t first = (row * batch.width + box.left) * batch.channels;
                        const std::int64_t count = (box.right - box.left) * batch.channels;
                        std::memcpy(out + first, other + first,
                                    static_cast<std::size_t>(count) * sizeof(float));
                      }
                    }
                  });
}

void mix_labels(float* targets, const std::int32_t* labels, std::int64_t classes, const AugmentedBatch& batch,
                const Mix& mix) {
  for (std::int64_t i = 0; i < batch.count; ++i) {
    const double share = mix_of(mix, batch, batch.indices[i]).share;
    float* out = targets + i * classes;
    for (std::int64_t c = 0; c < classes; ++c) out[c] = 0;
    out[labels[i]] += static_cast<float>(share);
    out[labels[batch.count - 1 - i]] += static_cast<float>(1 - share);
  }
}

}  // namespace receptive::ops
