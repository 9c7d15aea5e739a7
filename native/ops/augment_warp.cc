// SPDX-License-Identifier: Apache-2.0
// Images read at other places, between pixels: bilinear interpolation. Places are worked out in double
// precision, colours in single.
#include <cmath>

#include "ops/augment.h"
#include "ops/augment_images.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// What all pixels of a batch share.
struct Sampler {
  std::int64_t height, width, channels;
  Border border;
  const double* fill;

  // The pixel at (y, x) of the image `in`; a place far outside, or none (NaN), is beyond every border.
  void sample(float* out, const float* in, double y, double x) const {
    const double limit = 1 << 20;
    if (!(y > -limit && y < limit && x > -limit && x < limit)) return set_fill(out);
    const double row = std::floor(y), column = std::floor(x);
    const auto y0 = static_cast<std::int64_t>(row), x0 = static_cast<std::int64_t>(column);
    const auto fy = static_cast<float>(y - row), fx = static_cast<float>(x - column);
    const float* taps[4];
    float fills[AugmentedBatch::kMaxChannels];
    if (y0 >= 0 && x0 >= 0 && y0 + 1 < height && x0 + 1 < width) {
      taps[0] = in + (y0 * width + x0) * channels;
      taps[1] = taps[0] + channels;
      taps[2] = taps[0] + width * channels;
      taps[3] = taps[2] + channels;
    } else {
      set_fill(fills);
      for (int tap = 0; tap < 4; ++tap) {
        const std::int64_t ty = at_border(y0 + tap / 2, height, border);
        const std::int64_t tx = at_border(x0 + tap % 2, width, border);
        taps[tap] = ty < 0 || tx < 0 ? fills : in + (ty * width + tx) * channels;
      }
    }
    for (std::int64_t c = 0; c < channels; ++c) {
      const float top = taps[0][c] + fx * (taps[1][c] - taps[0][c]);
      const float bottom = taps[2][c] + fx * (taps[3][c] - taps[2][c]);
      out[c] = top + fy * (bottom - top);
    }
  }

  void set_fill(float* out) const {
    for (std::int64_t c = 0; c < channels; ++c) out[c] = static_cast<float>(fill[c]);
  }
};

// out = the sum of weights[k] * in[i + k - radius] along one axis of [outer][n][inner]; nothing beyond the
// ends
void blur_axis(float* out, const float* in, std::int64_t outer, std::int64_t n, std::int64_t inner,
               const float* weights, std::int64_t radius) {
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < n; ++i) {
      float* to = out + (o * n + i) * inner;
      for (std::int64_t k = 0; k < inner; ++k) to[k] = 0;
      const std::int64_t begin = i < radius ? radius - i : 0;
      const std::int64_t end = i + radius < n ? 2 * radius + 1 : n - i + radius;
      for (std::int64_t k = begin; k < end; ++k) {
        const float* from = in + (o * n + i + k - radius) * inner;
        for (std::int64_t j = 0; j < inner; ++j) to[j] += weights[k] * from[j];
      }
    }
  }
}

}  // namespace

void warp_affine(float* y, const float* x, const AugmentedBatch& batch, const Affine& affine) {
  const Sampler sampler = {batch.height, batch.width, batch.channels, affine.border, affine.fill};
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    const SourceMap map = affine_source(affine, batch, index);
    for (std::int64_t i = 0; i < batch.height; ++i) {
      const double row = static_cast<double>(i);
      const double from_x = map.xy * row + map.x0, from_y = map.yy * row + map.y0;
      for (std::int64_t j = 0; j < batch.width; ++j, out += batch.channels) {
        const double column = static_cast<double>(j);
        sampler.sample(out, in, from_y + map.yx * column, from_x + map.xx * column);
      }
    }
  });
}

void warp_elastic(float* y, const float* x, const AugmentedBatch& batch, const Elastic& elastic) {
  const Sampler sampler = {batch.height, batch.width, batch.channels, elastic.border, elastic.fill};
  const std::int64_t radius = elastic.radius(), pixels = batch.pixels();
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    // Displacements to the right and down, one field after the other, twice for the two passes; then the
    // weights.
    float* noise = workspace<float>(Slot::kTaskPanel, 4 * pixels + 2 * radius + 1);
    float *rows = noise + 2 * pixels, *weights = noise + 4 * pixels;
    ImageNumbers numbers(batch.key, index);
    for (std::int64_t i = 0; i < 2 * pixels; ++i) noise[i] = static_cast<float>(numbers.between(-1, 1));
    double sum = 0;
    for (std::int64_t k = -radius; k <= radius; ++k) {
      const double distance = static_cast<double>(k) / elastic.sigma;
      sum += std::exp(-0.5 * distance * distance);
    }
    for (std::int64_t k = -radius; k <= radius; ++k) {
      const double distance = static_cast<double>(k) / elastic.sigma;
      weights[k + radius] = static_cast<float>(std::exp(-0.5 * distance * distance) / sum);
    }
    blur_axis(rows, noise, 2, batch.height, batch.width, weights, radius);
    blur_axis(noise, rows, 2 * batch.height, batch.width, 1, weights, radius);
    for (std::int64_t i = 0; i < pixels; ++i, out += batch.channels) {
      const double right = elastic.alpha * static_cast<double>(noise[i]);
      const double down = elastic.alpha * static_cast<double>(noise[pixels + i]);
      sampler.sample(out, in, static_cast<double>(i / batch.width) + down,
                     static_cast<double>(i % batch.width) + right);
    }
  });
}

}  // namespace receptive::ops
