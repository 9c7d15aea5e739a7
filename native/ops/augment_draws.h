// SPDX-License-Identifier: Apache-2.0
// Random changes of images, and what is drawn for each: numbers that depend on the seed, the stream, the
// epoch and the image's place in the data set, not on the batch it is in nor on the thread. The kernels and
// the reference draw alike.
#pragma once

#include <cmath>
#include <cstdint>

#include "ops/philox.h"

namespace receptive::ops {

// n images of [height][width][channels], and which images of the data set they are.
struct AugmentedBatch {
  static constexpr int kMaxChannels = 16;
  std::int64_t count, height, width, channels;
  RandomKey key;  // its step is the epoch
  const std::int32_t* indices;

  std::int64_t pixels() const { return height * width; }
  std::int64_t image_size() const { return height * width * channels; }
};

// The numbers of one image, in order: those of Philox with the counter (block, index, stream, epoch), as
// RandomStream of lib/tensor/philox.ts gives them.
class ImageNumbers {
 public:
  ImageNumbers(const RandomKey& key, std::int32_t index)
      : key_(key), first_block_(static_cast<std::int64_t>(index) << 32) {}

  // In [0, 1), in 24 bits.
  double uniform() {
    const int lane = static_cast<int>(next_ % 4);
    if (lane == 0) block_ = philox_block(first_block_ + next_ / 4, key_);
    next_ += 1;
    return unit_interval(block_.words[lane]);
  }
  double between(double low, double high) { return low + (high - low) * uniform(); }
  // 0 to n - 1, for n far below 2^24.
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(uniform() * static_cast<double>(n)); }

 private:
  RandomKey key_;
  std::int64_t first_block_, next_ = 0;
  PhiloxBlock block_{};
};

// What lies beyond the edge of an image.
enum class Border { kFill, kReflect, kEdge };

// The row or column that stands at place i of n, or -1 for the fill. Reflection leaves the edge out: 2 1 0
// 1 2.
inline std::int64_t at_border(std::int64_t i, std::int64_t n, Border border) {
  if (i >= 0 && i < n) return i;
  if (border == Border::kFill) return -1;
  if (border == Border::kEdge || n == 1) return i < 0 ? 0 : n - 1;
  const std::int64_t period = 2 * (n - 1), within = ((i % period) + period) % period;
  return within < n ? within : period - within;
}

struct Flip {
  double p;
  bool alternates;  // half of the images, by their numbers of epoch 0, and the other half in the next epoch
  bool is_vertical;
};

inline bool flips(const Flip& flip, const AugmentedBatch& batch, std::int32_t index) {
  if (!flip.alternates) return ImageNumbers(batch.key, index).uniform() < flip.p;
  RandomKey first = batch.key;
  first.step = 0;
  return (ImageNumbers(first, index).uniform() < 0.5) != ((batch.key.step & 1) != 0);
}

// A window of the image's size into the image with a border: a shift by up to `padding` pixels each way.
struct Crop {
  std::int64_t padding;
  Border border;
  const double* fill;  // a value for each channel
};

struct Shift {
  std::int64_t y, x;
};

inline Shift crop_shift(const Crop& crop, const AugmentedBatch& batch, std::int32_t index) {
  ImageNumbers numbers(batch.key, index);
  const std::int64_t y = numbers.below(2 * crop.padding + 1), x = numbers.below(2 * crop.padding + 1);
  return {y - crop.padding, x - crop.padding};
}

// A square of `size` pixels around a random pixel, as much of it as lies in the image.
struct Cutout {
  std::int64_t size;
  double p;
  const double* fill;
};

struct Box {
  std::int64_t top, bottom, left, right;  // from top and left, to before bottom and right
};

inline Box cutout_box(const Cutout& cutout, const AugmentedBatch& batch, std::int32_t index) {
  ImageNumbers numbers(batch.key, index);
  const bool is_cut = numbers.uniform() < cutout.p;
  const std::int64_t top = numbers.below(batch.height) - cutout.size / 2;
  const std::int64_t left = numbers.below(batch.width) - cutout.size / 2;
  if (!is_cut) return {0, 0, 0, 0};
  const auto within = [](std::int64_t i, std::int64_t n) { return i < 0 ? 0 : (i < n ? i : n); };
  return {within(top, batch.height), within(top + cutout.size, batch.height), within(left, batch.width),
          within(left + cutout.size, batch.width)};
}

// Rotation, shift, scaling and shear in one resampling. Angles in radians.
struct Affine {
  double rotate, translate_y, translate_x;  // up to so much either way; shifts as shares of the image's sides
  double min_scale, max_scale, shear_x, shear_y;
  Border border;
  const double* fill;
};

// Where an output pixel reads, in pixels: x = xx * column + xy * row + x0, and y likewise.
struct SourceMap {
  double xx, xy, x0, yx, yy, y0;
};

// The output is the image under shear, then scale, rotation about its middle and shift; this is the way back.
inline SourceMap affine_source(const Affine& affine, const AugmentedBatch& batch, std::int32_t index) {
  ImageNumbers numbers(batch.key, index);
  const double angle = numbers.between(-affine.rotate, affine.rotate);
  const double shift_y =
      numbers.between(-affine.translate_y, affine.translate_y) * static_cast<double>(batch.height);
  const double shift_x =
      numbers.between(-affine.translate_x, affine.translate_x) * static_cast<double>(batch.width);
  const double scale = numbers.between(affine.min_scale, affine.max_scale);
  const double shear_x = std::tan(numbers.between(-affine.shear_x, affine.shear_x));
  const double shear_y = std::tan(numbers.between(-affine.shear_y, affine.shear_y));
  const double cosine = scale * std::cos(angle), sine = scale * std::sin(angle);
  // [cos -sin; sin cos] * [1 shear_x; shear_y 1]
  const double a = cosine - sine * shear_y, b = cosine * shear_x - sine;
  const double c = sine + cosine * shear_y, d = sine * shear_x + cosine;
  const double determinant = a * d - b * c;
  SourceMap map = {d / determinant, -b / determinant, 0, -c / determinant, a / determinant, 0};
  const double middle_y = 0.5 * static_cast<double>(batch.height - 1);
  const double middle_x = 0.5 * static_cast<double>(batch.width - 1);
  map.x0 = middle_x - map.xx * (middle_x + shift_x) - map.xy * (middle_y + shift_y);
  map.y0 = middle_y - map.yx * (middle_x + shift_x) - map.yy * (middle_y + shift_y);
  return map;
}

// Elastic deformation (Simard, Steinkraus and Platt, 2003): each pixel is displaced by uniform noise that was
// smoothed by a Gaussian and scaled; beyond the image there is no noise.
struct Elastic {
  double alpha, sigma;
  Border border;
  const double* fill;

  std::int64_t radius() const { return static_cast<std::int64_t>(std::ceil(3 * sigma)); }
};

// Colours of pixel values in [0, 1], which images have before they are normalised: brighter or darker, then
// more or less contrast about the mean grey, then more or less colour about each pixel's grey, then, of three
// channels, another hue. Factors are 1 give or take so much; hues are turned by up to that share of the
// circle.
struct ColourJitter {
  double brightness, contrast, saturation, hue;
  const double *mean, *deviation;  // of the normalisation, for each channel
};

struct ColourFactors {
  double brightness, contrast, saturation, hue;
};

inline ColourFactors colour_factors(const ColourJitter& jitter, const AugmentedBatch& batch,
                                    std::int32_t index) {
  ImageNumbers numbers(batch.key, index);
  const auto factor = [&](double range) { return numbers.between(range < 1 ? 1 - range : 0, 1 + range); };
  const double brightness = factor(jitter.brightness), contrast = factor(jitter.contrast);
  const double saturation = factor(jitter.saturation);
  return {brightness, contrast, saturation, numbers.between(-jitter.hue, jitter.hue)};
}

// Each image with that of the mirrored place in the batch: blended (mixup: Zhang et al., 2018), or with a box
// cut out of the other one (CutMix: Yun et al., 2019). The shares follow Beta(alpha, alpha).
struct Mix {
  bool is_cut;
  double alpha, p;
};

struct Mixed {
  double share;  // of the image itself, and of its label
  Box box;       // what comes from the other one, where it is cut
};

// By Johnk's method: for alpha up to 1 every second try is good on average, and better.
inline double beta_number(ImageNumbers* numbers, double alpha) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const double a = std::pow(numbers->uniform(), 1 / alpha), b = std::pow(numbers->uniform(), 1 / alpha);
    if (a + b > 0 && a + b <= 1) return a / (a + b);
  }
  return 0.5;
}

inline Mixed mix_of(const Mix& mix, const AugmentedBatch& batch, std::int32_t index) {
  ImageNumbers numbers(batch.key, index);
  const bool is_mixed = numbers.uniform() < mix.p;
  const std::int64_t middle_y = numbers.below(batch.height), middle_x = numbers.below(batch.width);
  const double share = beta_number(&numbers, mix.alpha);
  if (!is_mixed) return {1, {0, 0, 0, 0}};
  if (!mix.is_cut) return {share, {0, 0, 0, 0}};
  const auto side = [&](std::int64_t n) {
    return static_cast<std::int64_t>(static_cast<double>(n) * std::sqrt(1 - share));
  };
  const auto within = [](std::int64_t i, std::int64_t n) { return i < 0 ? 0 : (i < n ? i : n); };
  const std::int64_t height = side(batch.height), width = side(batch.width);
  const std::int64_t top = middle_y - height / 2, left = middle_x - width / 2;
  const Box box = {within(top, batch.height), within(top + height, batch.height), within(left, batch.width),
                   within(left + width, batch.width)};
  const std::int64_t area = (box.bottom - box.top) * (box.right - box.left);
  return {1 - static_cast<double>(area) / static_cast<double>(batch.pixels()), box};
}

}  // namespace receptive::ops
