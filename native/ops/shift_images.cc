// SPDX-License-Identifier: Apache-2.0
// Rows are found by their places; within one, pixels are copied, those beyond the edge from the other side of
// it.
#include "ops/shift_images.h"

#include <algorithm>
#include <cstring>

#include "ops/augment_draws.h"
#include "ops/elementwise.h"

namespace receptive::ops {
namespace {

void shift_row(float* y, const float* x, const ShiftedImages& images) {
  const std::int64_t width = images.width, channels = images.channels;
  for (std::int64_t i = 0; i < width; ++i) {
    const std::int64_t place = at_border(i - images.right, width, Border::kReflect);
    const std::int64_t from = images.is_mirrored ? width - 1 - place : place;
    for (std::int64_t c = 0; c < channels; ++c) y[i * channels + c] = x[from * channels + c];
  }
}

}  // namespace

void shift_images(float* y, const float* x, const ShiftedImages& images) {
  const std::int64_t row = images.row(), height = images.height;
  const bool is_whole = !images.is_mirrored && images.right == 0;
  parallel_ranges(images.count * height, std::max<std::int64_t>(1, kElementwiseGrain / row),
                  [&](std::int64_t begin, std::int64_t end) {
                    for (std::int64_t i = begin; i < end; ++i) {
                      const std::int64_t place =
                          at_border(i % height - images.down, height, Border::kReflect);
                      const float* from = x + (i / height * height + place) * row;
                      if (is_whole)
                        std::memcpy(y + i * row, from, static_cast<std::size_t>(row) * sizeof(float));
                      else
                        shift_row(y + i * row, from, images);
                    }
                  });
}

}  // namespace receptive::ops
