// SPDX-License-Identifier: Apache-2.0
// RandAugment pixel by pixel, straight from what each change is.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "ops/rand_augment.h"

namespace receptive::reference {

struct BytePicture {
  std::vector<std::uint8_t> bytes;
  std::int64_t height, width, channels;

  std::uint8_t at(std::int64_t y, std::int64_t x, std::int64_t c) const {
    return bytes[static_cast<std::size_t>((y * width + x) * channels + c)];
  }
  // value(y, x, c) for each byte
  template <typename Value>
  BytePicture made(const Value& value) const {
    BytePicture result = *this;
    auto* out = result.bytes.data();
    for (std::int64_t y = 0; y < height; ++y)
      for (std::int64_t x = 0; x < width; ++x)
        for (std::int64_t c = 0; c < channels; ++c) *out++ = static_cast<std::uint8_t>(value(y, x, c));
    return result;
  }
  std::uint8_t luma(std::int64_t y, std::int64_t x) const {
    return channels == 1 ? at(y, x, 0) : ops::luma_of(&bytes[static_cast<std::size_t>((y * width + x) * 3)]);
  }
  // The bytes of a channel in order.
  std::vector<std::uint8_t> sorted(std::int64_t c) const {
    std::vector<std::uint8_t> all;
    for (std::int64_t i = c; i < height * width * channels; i += channels)
      all.push_back(bytes[static_cast<std::size_t>(i)]);
    std::sort(all.begin(), all.end());
    return all;
  }
};

inline BytePicture equalized(const BytePicture& in) {
  std::vector<std::uint8_t> sorted[3];
  for (std::int64_t c = 0; c < in.channels; ++c) sorted[c] = in.sorted(c);
  return in.made([&](std::int64_t y, std::int64_t x, std::int64_t c) -> std::int64_t {
    const auto& all = sorted[c];
    const auto below = [&](int byte) {  // how many are smaller
      return std::lower_bound(all.begin(), all.end(), byte) - all.begin();
    };
    const std::int64_t step = below(all.back()) / 255, value = in.at(y, x, c);
    return step == 0 ? value
                     : std::min<std::int64_t>(255, (step / 2 + below(static_cast<int>(value))) / step);
  });
}

inline BytePicture with_spread(const BytePicture& in) {
  std::vector<std::uint8_t> sorted[3];
  for (std::int64_t c = 0; c < in.channels; ++c) sorted[c] = in.sorted(c);
  return in.made([&](std::int64_t y, std::int64_t x, std::int64_t c) -> int {
    const int low = sorted[c].front(), high = sorted[c].back(), value = in.at(y, x, c);
    if (low == high) return value;
    const double scale = 255.0 / (high - low);
    return std::clamp(static_cast<int>(value * scale + -low * scale), 0, 255);
  });
}

inline BytePicture sharpened(const BytePicture& in, float factor) {
  return in.made([&](std::int64_t y, std::int64_t x, std::int64_t c) -> std::uint8_t {
    const bool is_edge = y == 0 || x == 0 || y == in.height - 1 || x == in.width - 1;
    if (is_edge) return in.at(y, x, c);
    int sum = 4 * in.at(y, x, c);
    for (int i = -1; i <= 1; ++i)
      for (int j = -1; j <= 1; ++j) sum += in.at(y + i, x + j, c);
    return ops::blend_bytes(static_cast<std::uint8_t>(std::floor(sum / 13.0 + 0.5)), in.at(y, x, c), factor);
  });
}

inline BytePicture changed(const BytePicture& in, const ops::DrawnChange& drawn,
                           const ops::AugmentedBatch& batch) {
  const auto factor = static_cast<float>(1 + drawn.magnitude);
  using Place = std::int64_t;
  switch (drawn.change) {
    case ops::Change::kShearX:
    case ops::Change::kShearY:
    case ops::Change::kTranslateX:
    case ops::Change::kTranslateY:
    case ops::Change::kRotate: {
      const ops::FixedMap map = ops::fixed_map(drawn, batch);
      return in.made([&](Place y, Place x, Place c) -> int {
        const Place column = (map.x0 + x * map.xx + y * map.xy) >> 16;
        const Place row = (map.y0 + x * map.yx + y * map.yy) >> 16;
        return row < 0 || column < 0 || row >= in.height || column >= in.width ? 0 : in.at(row, column, c);
      });
    }
    case ops::Change::kBrightness:
      return in.made([&](Place y, Place x, Place c) { return ops::blend_bytes(0, in.at(y, x, c), factor); });
    case ops::Change::kColour:
      return in.made(
          [&](Place y, Place x, Place c) { return ops::blend_bytes(in.luma(y, x), in.at(y, x, c), factor); });
    case ops::Change::kContrast: {
      double sum = 0;
      for (Place y = 0; y < in.height; ++y)
        for (Place x = 0; x < in.width; ++x) sum += in.luma(y, x);
      const double mean = sum / static_cast<double>(in.height * in.width);
      const auto middle = static_cast<std::uint8_t>(mean + 0.5);
      return in.made(
          [&](Place y, Place x, Place c) { return ops::blend_bytes(middle, in.at(y, x, c), factor); });
    }
    case ops::Change::kSharpness:
      return sharpened(in, factor);
    case ops::Change::kPosterize: {
      const int levels = 1 << (8 - static_cast<int>(drawn.magnitude));
      return in.made([&](Place y, Place x, Place c) { return in.at(y, x, c) / levels * levels; });
    }
    case ops::Change::kSolarize:
      return in.made([&](Place y, Place x, Place c) {
        const int value = in.at(y, x, c);
        return value < drawn.magnitude ? value : 255 - value;
      });
    case ops::Change::kAutoContrast:
      return with_spread(in);
    case ops::Change::kEqualize:
      return equalized(in);
    default:
      return in;
  }
}

inline void rand_augment(double* out, const double* in, const ops::AugmentedBatch& batch,
                         const ops::RandAugment& options) {
  const std::int64_t size = batch.image_size(), channels = batch.channels;
  for (std::int64_t n = 0; n < batch.count; ++n) {
    BytePicture picture = {{}, batch.height, batch.width, channels};
    for (std::int64_t i = 0; i < size; ++i)
      picture.bytes.push_back(
          ops::byte_of(in[n * size + i], options.mean[i % channels], options.deviation[i % channels]));
    ops::ImageNumbers numbers(batch.key, batch.indices[n]);
    for (std::int64_t i = 0; i < options.changes; ++i)
      picture = changed(picture, ops::draw_change(&numbers, options, batch), batch);
    for (std::int64_t i = 0; i < size; ++i)
      out[n * size + i] = (picture.bytes[static_cast<std::size_t>(i)] / 255.0 - options.mean[i % channels]) /
                          options.deviation[i % channels];
  }
}

}  // namespace receptive::reference
