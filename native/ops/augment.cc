// SPDX-License-Identifier: Apache-2.0
// Flips, crops and cut-out: rows and pixels copied to other places.
#include "ops/augment.h"

#include <cstring>

#include "ops/augment_images.h"

namespace receptive::ops {
namespace {

void copy_floats(float* to, const float* from, std::int64_t count) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}

// The pixels of a row from right to left.
template <int kChannels>
void mirror_row(float* y, const float* x, std::int64_t width) {
  for (std::int64_t i = 0; i < width; ++i)
    for (int c = 0; c < kChannels; ++c) y[i * kChannels + c] = x[(width - 1 - i) * kChannels + c];
}

void mirror_row(float* y, const float* x, std::int64_t width, std::int64_t channels) {
  if (channels == 1) return mirror_row<1>(y, x, width);
  if (channels == 3) return mirror_row<3>(y, x, width);
  for (std::int64_t i = 0; i < width; ++i)
    copy_floats(y + i * channels, x + (width - 1 - i) * channels, channels);
}

void fill_pixels(float* y, const double* fill, std::int64_t pixels, std::int64_t channels) {
  for (std::int64_t i = 0; i < pixels; ++i)
    for (std::int64_t c = 0; c < channels; ++c) y[i * channels + c] = static_cast<float>(fill[c]);
}

// A row read `shift` pixels further right.
void shift_row(float* y, const float* x, std::int64_t shift, const AugmentedBatch& batch, const Crop& crop) {
  const std::int64_t width = batch.width, channels = batch.channels;
  const std::int64_t first = shift < 0 ? (-shift < width ? -shift : width) : 0;
  const std::int64_t last = shift > 0 ? (shift < width ? width - shift : 0) : width;
  const auto beyond = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t from = at_border(i + shift, width, crop.border);
      if (from < 0)
        fill_pixels(y + i * channels, crop.fill, 1, channels);
      else
        copy_floats(y + i * channels, x + from * channels, channels);
    }
  };
  beyond(0, first);
  if (first < last)
    copy_floats(y + first * channels, x + (first + shift) * channels, (last - first) * channels);
  beyond(first < last ? last : first, width);
}

}  // namespace

void flip_images(float* y, const float* x, const AugmentedBatch& batch, const Flip& flip) {
  const std::int64_t row = batch.width * batch.channels, height = batch.height;
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    if (!flips(flip, batch, index)) return copy_floats(out, in, batch.image_size());
    for (std::int64_t i = 0; i < height; ++i) {
      if (flip.is_vertical)
        copy_floats(out + i * row, in + (height - 1 - i) * row, row);
      else
        mirror_row(out + i * row, in + i * row, batch.width, batch.channels);
    }
  });
}

void crop_images(float* y, const float* x, const AugmentedBatch& batch, const Crop& crop) {
  const std::int64_t row = batch.width * batch.channels;
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    const Shift shift = crop_shift(crop, batch, index);
    for (std::int64_t i = 0; i < batch.height; ++i) {
      const std::int64_t from = at_border(i + shift.y, batch.height, crop.border);
      if (from < 0)
        fill_pixels(out + i * row, crop.fill, batch.width, batch.channels);
      else
        shift_row(out + i * row, in + from * row, shift.x, batch, crop);
    }
  });
}

void cut_out(float* y, const float* x, const AugmentedBatch& batch, const Cutout& cutout) {
  const std::int64_t row = batch.width * batch.channels;
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    if (out != in) copy_floats(out, in, batch.image_size());
    const Box box = cutout_box(cutout, batch, index);
    for (std::int64_t i = box.top; i < box.bottom; ++i)
      fill_pixels(out + i * row + box.left * batch.channels, cutout.fill, box.right - box.left,
                  batch.channels);
  });
}

}  // namespace receptive::ops
