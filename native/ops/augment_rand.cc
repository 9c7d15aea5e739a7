// SPDX-License-Identifier: Apache-2.0
// RandAugment on images of bytes: most changes are a table of 256 bytes for each channel.
#include <cstring>

#include "ops/augment.h"
#include "ops/augment_images.h"
#include "ops/rand_augment.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kColours = 3;  // channels at most

struct Bytes {
  std::uint8_t *values, *spare;
  std::int64_t height, width, channels;

  std::int64_t pixels() const { return height * width; }
  std::int64_t size() const { return pixels() * channels; }
  void swap() {
    std::uint8_t* other = values;
    values = spare;
    spare = other;
  }
};

using Table = std::uint8_t[256];

void look_up(const Bytes& image, const Table* tables) {
  const std::int64_t channels = image.channels;
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t i = c; i < image.size(); i += channels) image.values[i] = tables[c][image.values[i]];
}

template <typename Function>
void fill_tables(Table* tables, std::int64_t channels, const Function& value) {
  for (int i = 0; i < 256; ++i) tables[0][i] = value(i);
  for (std::int64_t c = 1; c < channels; ++c) std::memcpy(tables[c], tables[0], sizeof(Table));
}

void count_bytes(const Bytes& image, std::int64_t channel, std::int64_t* counts) {
  std::memset(counts, 0, 256 * sizeof(std::int64_t));
  for (std::int64_t i = channel; i < image.size(); i += image.channels) counts[image.values[i]] += 1;
}

std::uint8_t mean_luma(const Bytes& image) {
  std::int64_t sum = 0;
  if (image.channels == 1)
    for (std::int64_t i = 0; i < image.pixels(); ++i) sum += image.values[i];
  else
    for (std::int64_t i = 0; i < image.pixels(); ++i) sum += luma_of(image.values + kColours * i);
  return static_cast<std::uint8_t>(static_cast<double>(sum) / static_cast<double>(image.pixels()) + 0.5);
}

// The darkest byte of a channel becomes 0, the brightest 255.
void spread_table(std::uint8_t* table, const std::int64_t* counts) {
  int low = 0, high = 255;
  while (low < 255 && counts[low] == 0) ++low;
  while (high > 0 && counts[high] == 0) --high;
  for (int i = 0; i < 256; ++i) table[i] = static_cast<std::uint8_t>(i);
  if (high <= low) return;
  const double scale = 255.0 / (high - low), offset = -low * scale;
  for (int i = 0; i < 256; ++i) {
    const double value = std::trunc(i * scale + offset);
    table[i] = static_cast<std::uint8_t>(value > 0 ? (value < 255 ? value : 255) : 0);
  }
}

// All bytes about equally often.
void equal_table(std::uint8_t* table, const std::int64_t* counts) {
  std::int64_t total = 0, last = 0;
  for (int i = 0; i < 256; ++i) {
    total += counts[i];
    if (counts[i] > 0) last = counts[i];
  }
  const std::int64_t step = (total - last) / 255;
  std::int64_t below = step / 2;
  for (int i = 0; i < 256; ++i) {
    const std::int64_t value = step == 0 ? i : below / step;
    table[i] = static_cast<std::uint8_t>(value < 255 ? value : 255);
    below += counts[i];
  }
}

void change_colour(const Bytes& image, float factor) {
  if (image.channels == 1) return;
  for (std::int64_t i = 0; i < image.pixels(); ++i) {
    std::uint8_t* pixel = image.values + kColours * i;
    const std::uint8_t luma = luma_of(pixel);
    for (int c = 0; c < kColours; ++c) pixel[c] = blend_bytes(luma, pixel[c], factor);
  }
}

// Away from, or towards, the mean of 3x3 pixels in which the middle counts five times; edges stay.
void change_sharpness(Bytes* image, float factor) {
  const std::int64_t channels = image->channels, row = image->width * channels;
  std::memcpy(image->spare, image->values, static_cast<std::size_t>(image->size()));
  for (std::int64_t i = 1; i + 1 < image->height; ++i) {
    const std::uint8_t* in = image->values + i * row;
    std::uint8_t* out = image->spare + i * row;
    for (std::int64_t j = channels; j < row - channels; ++j) {
      const std::uint8_t *above = in + j - row, *below = in + j + row;
      const int sum = above[-channels] + above[0] + above[channels] + in[j - channels] + 5 * in[j] +
                      in[j + channels] + below[-channels] + below[0] + below[channels];
      out[j] = blend_bytes(static_cast<std::uint8_t>((2 * sum + 13) / 26), in[j], factor);
    }
  }
  image->swap();
}

// Each pixel is that of the place it reads, black beyond the edge.
template <int kChannels>
void move_pixels(Bytes* image, const FixedMap& map) {
  const std::int64_t height = image->height, width = image->width;
  std::uint8_t* out = image->spare;
  for (std::int64_t i = 0; i < height; ++i) {
    std::int64_t x = map.x0 + i * map.xy, y = map.y0 + i * map.yy;
    for (std::int64_t j = 0; j < width; ++j, out += kChannels, x += map.xx, y += map.yx) {
      const std::int64_t column = x >> 16, row = y >> 16;
      const bool is_inside = column >= 0 && column < width && row >= 0 && row < height;
      const std::uint8_t* from = image->values + (row * width + column) * kChannels;
      for (int c = 0; c < kChannels; ++c) out[c] = is_inside ? from[c] : 0;
    }
  }
  image->swap();
}

void change(Bytes* image, const DrawnChange& drawn, const AugmentedBatch& batch) {
  const std::int64_t channels = image->channels;
  const auto factor = static_cast<float>(1 + drawn.magnitude);
  Table tables[kColours];
  std::int64_t counts[256];
  switch (drawn.change) {
    case Change::kShearX:
    case Change::kShearY:
    case Change::kTranslateX:
    case Change::kTranslateY:
    case Change::kRotate:
      if (channels == 1) return move_pixels<1>(image, fixed_map(drawn, batch));
      return move_pixels<kColours>(image, fixed_map(drawn, batch));
    case Change::kColour:
      return change_colour(*image, factor);
    case Change::kSharpness:
      return change_sharpness(image, factor);
    case Change::kBrightness:
      fill_tables(tables, channels,
                  [=](int i) { return blend_bytes(0, static_cast<std::uint8_t>(i), factor); });
      break;
    case Change::kContrast: {
      const std::uint8_t middle = mean_luma(*image);
      fill_tables(tables, channels,
                  [=](int i) { return blend_bytes(middle, static_cast<std::uint8_t>(i), factor); });
      break;
    }
    case Change::kPosterize: {
      const int mask = ~((1 << (8 - static_cast<int>(drawn.magnitude))) - 1);
      fill_tables(tables, channels, [=](int i) { return static_cast<std::uint8_t>(i & mask); });
      break;
    }
    case Change::kSolarize:
      fill_tables(tables, channels,
                  [&](int i) { return static_cast<std::uint8_t>(i < drawn.magnitude ? i : 255 - i); });
      break;
    case Change::kAutoContrast:
    case Change::kEqualize:
      for (std::int64_t c = 0; c < channels; ++c) {
        count_bytes(*image, c, counts);
        (drawn.change == Change::kEqualize ? equal_table : spread_table)(tables[c], counts);
      }
      break;
    default:
      return;
  }
  look_up(*image, tables);
}

}  // namespace

void rand_augment(float* y, const float* x, const AugmentedBatch& batch, const RandAugment& options) {
  const std::int64_t channels = batch.channels, size = batch.image_size();
  float normalized[kColours][256];
  for (std::int64_t c = 0; c < channels; ++c)
    for (int i = 0; i < 256; ++i)
      normalized[c][i] = static_cast<float>((i / 255.0 - options.mean[c]) / options.deviation[c]);
  for_each_image(y, x, batch, [&](float* out, const float* in, std::int32_t index) {
    auto* values = workspace<std::uint8_t>(Slot::kTaskImage, 2 * size);
    Bytes image = {values, values + size, batch.height, batch.width, channels};
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t i = c; i < size; i += channels)
        values[i] = byte_of(static_cast<double>(in[i]), options.mean[c], options.deviation[c]);
    ImageNumbers numbers(batch.key, index);
    for (std::int64_t i = 0; i < options.changes; ++i)
      change(&image, draw_change(&numbers, options, batch), batch);
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t i = c; i < size; i += channels) out[i] = normalized[c][image.values[i]];
  });
}

}  // namespace receptive::ops
