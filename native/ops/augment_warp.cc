// SPDX-License-Identifier: Apache-2.0
// Images read at other places, between pixels: bilinear interpolation of a copy of the image inside a margin.
#include <cmath>
#include <cstring>

#include "kernels/select.h"
#include "ops/augment.h"
#include "ops/augment_images.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

void copy_floats(float* to, const float* from, std::int64_t count) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}

// Rows of one colour.
void paint(float* out, std::int64_t rows, std::int64_t stride, const float* colour, std::int64_t channels) {
  for (std::int64_t i = 0; i < stride; i += channels)
    for (std::int64_t c = 0; c < channels; ++c) out[i + c] = colour[c];
  for (std::int64_t i = 1; i < rows; ++i) copy_floats(out + i * stride, out, stride);
}

// What lies beyond the ends of a row: its first and last pixel again.
void extend_row(float* row, std::int64_t width, std::int64_t channels) {
  constexpr std::int64_t kMargin = MarginImage::kMargin;
  const float* first = row + kMargin * channels;
  float* end = row + (kMargin + width) * channels;
  for (std::int64_t i = 0; i < kMargin * channels; ++i) {
    row[i] = first[i % channels];
    end[i] = end[i % channels - channels];
  }
}

// The image inside its margin, in this thread's scratch. The margin of an image of reflected places is read
// only with weight 0, so that its edge will do.
MarginImage in_margin(const float* image, const AugmentedBatch& batch, Border border, const float* fill) {
  constexpr std::int64_t kMargin = MarginImage::kMargin;
  const std::int64_t height = batch.height, width = batch.width, channels = batch.channels;
  const std::int64_t size = MarginImage::size(height, width, channels);
  float* pixels = workspace<float>(Slot::kTaskImage, size);
  const MarginImage result = {pixels, height, width, channels, border == Border::kReflect};
  const std::int64_t stride = result.stride();
  if (border == Border::kFill) paint(pixels, height + 2 * kMargin, stride, fill, channels);
  float *first = pixels + kMargin * stride, *last = first + (height - 1) * stride;
  for (std::int64_t i = 0; i < height; ++i) {
    float* row = first + i * stride;
    copy_floats(row + kMargin * channels, image + i * width * channels, width * channels);
    if (border != Border::kFill) extend_row(row, width, channels);
  }
  for (std::int64_t i = 1; border != Border::kFill && i <= kMargin; ++i) {
    copy_floats(first - i * stride, first, stride);
    copy_floats(last + i * stride, last, stride);
  }
  for (std::int64_t i = size - MarginImage::kSlack; i < size; ++i) pixels[i] = 0;
  return result;
}

// The fill of each channel in single precision.
struct Fill {
  float values[AugmentedBatch::kMaxChannels];

  Fill(const double* fill, std::int64_t channels) {
    for (std::int64_t c = 0; c < channels; ++c) values[c] = static_cast<float>(fill[c]);
  }
};

constexpr std::int64_t kMaxRadius = 192;  // of the largest sigma, 64

// Noise smoothed down the columns, then along the rows: a row of displacements at a time.
class SmoothNoise {
 public:
  SmoothNoise(const Elastic& elastic, const AugmentedBatch& batch)
      : height_(batch.height), width_(batch.width), radius_(elastic.radius()) {
    double sum = 0;
    for (std::int64_t k = -radius_; k <= radius_; ++k) sum += gauss(k, elastic.sigma);
    for (std::int64_t k = -radius_; k <= radius_; ++k)
      weights_[k + radius_] = static_cast<float>(gauss(k, elastic.sigma) / sum);
  }

  // The noise of an image, smoothed down the columns, in this thread's scratch: [2][height][width].
  const float* down_columns(const RandomKey& key, std::int32_t index) const {
    // A field between as many rows of zeros: beyond the image there is no noise.
    const std::int64_t pixels = height_ * width_, beyond = radius_ * width_;
    float* smooth = workspace<float>(Slot::kTaskPanel, 4 * pixels + 2 * beyond);
    float *drawn = smooth + 2 * pixels, *field = smooth + 3 * pixels;
    // ImageNumbers in order, as floats: 2 u - 1 is exact
    const std::int64_t first_block = static_cast<std::int64_t>(index) << 32;
    kernels().random->uniform(smooth, 2 * pixels, first_block, key, -1, 2);
    zero(field, beyond);
    zero(field + beyond + pixels, beyond);
    for (int i = 0; i < 2; ++i) {
      copy_floats(field + beyond, smooth + i * pixels, pixels);
      kernels().warp->weighted_sum(drawn, field, width_, weights_, 2 * radius_ + 1, pixels);
      copy_floats(smooth + i * pixels, drawn, pixels);
    }
    return smooth;
  }

  // A row of it, smoothed along itself.
  void along_row(float* out, const float* row) const {
    float* padded = workspace<float>(Slot::kTaskRows, width_ + 2 * radius_);
    zero(padded, radius_);
    copy_floats(padded + radius_, row, width_);
    zero(padded + radius_ + width_, radius_);
    kernels().warp->weighted_sum(out, padded, 1, weights_, 2 * radius_ + 1, width_);
  }

 private:
  static double gauss(std::int64_t k, double sigma) {
    const double distance = static_cast<double>(k) / sigma;
    return std::exp(-0.5 * distance * distance);
  }
  static void zero(float* out, std::int64_t count) {
    std::memset(out, 0, static_cast<std::size_t>(count) * sizeof(float));
  }

  std::int64_t height_, width_, radius_;
  float weights_[2 * kMaxRadius + 1];
};

}  // namespace

void warp_affine(float* y, const float* x, const AugmentedBatch& batch, const Affine& affine) {
  const Fill fill(affine.fill, batch.channels);
  const std::int64_t row = batch.width * batch.channels;
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    const SourceMap map = affine_source(affine, batch, index);
    const MarginImage image = in_margin(in, batch, affine.border, fill.values);
    for (std::int64_t i = 0; i < batch.height; ++i) {
      const double from = static_cast<double>(i);
      kernels().warp->affine_row(out + i * row, image, map.yy * from + map.y0, map.xy * from + map.x0, map.yx,
                                 map.xx);
    }
  });
}

void warp_elastic(float* y, const float* x, const AugmentedBatch& batch, const Elastic& elastic) {
  const Fill fill(elastic.fill, batch.channels);
  const SmoothNoise noise(elastic, batch);
  const std::int64_t width = batch.width, pixels = batch.pixels();
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    const float* smooth = noise.down_columns(batch.key, index);
    const MarginImage image = in_margin(in, batch, elastic.border, fill.values);
    float* right = workspace<float>(Slot::kTaskResult, 2 * width);
    float* down = right + width;
    for (std::int64_t i = 0; i < batch.height; ++i) {
      noise.along_row(right, smooth + i * width);
      noise.along_row(down, smooth + pixels + i * width);
      kernels().warp->displaced_row(out + i * width * batch.channels, image, static_cast<double>(i),
                                    elastic.alpha, down, right);
    }
  });
}

}  // namespace receptive::ops
