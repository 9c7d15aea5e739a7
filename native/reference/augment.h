// SPDX-License-Identifier: Apache-2.0
// Random changes of images in double precision, pixel by pixel: which place of the image each output pixel
// shows.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "ops/augment_draws.h"

namespace receptive::reference {

// One image, and what lies around it.
struct Picture {
  const double* values;
  std::int64_t height, width, channels;
  ops::Border border;
  const double* fill;

  double at(std::int64_t y, std::int64_t x, std::int64_t c) const {
    const std::int64_t row = ops::at_border(y, height, border), column = ops::at_border(x, width, border);
    return row < 0 || column < 0 ? fill[c] : values[(row * width + column) * channels + c];
  }

  // Between four pixels.
  double between(double y, double x, std::int64_t c) const {
    const double row = std::floor(y), column = std::floor(x), fy = y - row, fx = x - column;
    const auto i = static_cast<std::int64_t>(row), j = static_cast<std::int64_t>(column);
    return (1 - fy) * ((1 - fx) * at(i, j, c) + fx * at(i, j + 1, c)) +
           fy * ((1 - fx) * at(i + 1, j, c) + fx * at(i + 1, j + 1, c));
  }
};

// value(picture, index)(y, x, c) for each element of each image
template <typename Maker>
void each_pixel(double* out, const double* in, const ops::AugmentedBatch& batch, ops::Border border,
                const double* fill, const Maker& value) {
  for (std::int64_t n = 0; n < batch.count; ++n) {
    const Picture picture = {
        in + n * batch.image_size(), batch.height, batch.width, batch.channels, border, fill};
    const auto of = value(picture, batch.indices[n]);
    for (std::int64_t y = 0; y < batch.height; ++y)
      for (std::int64_t x = 0; x < batch.width; ++x)
        for (std::int64_t c = 0; c < batch.channels; ++c) *out++ = of(y, x, c);
  }
}

inline void flip_images(double* out, const double* in, const ops::AugmentedBatch& batch,
                        const ops::Flip& flip) {
  each_pixel(out, in, batch, ops::Border::kEdge, nullptr, [&](const Picture& picture, std::int32_t index) {
    const bool flips = ops::flips(flip, batch, index), is_vertical = flip.is_vertical;
    return [=](std::int64_t y, std::int64_t x, std::int64_t c) {
      if (!flips) return picture.at(y, x, c);
      return is_vertical ? picture.at(batch.height - 1 - y, x, c) : picture.at(y, batch.width - 1 - x, c);
    };
  });
}

inline void crop_images(double* out, const double* in, const ops::AugmentedBatch& batch,
                        const ops::Crop& crop) {
  each_pixel(out, in, batch, crop.border, crop.fill, [&](const Picture& picture, std::int32_t index) {
    const ops::Shift shift = ops::crop_shift(crop, batch, index);
    return [=](std::int64_t y, std::int64_t x, std::int64_t c) {
      return picture.at(y + shift.y, x + shift.x, c);
    };
  });
}

inline void cut_out(double* out, const double* in, const ops::AugmentedBatch& batch,
                    const ops::Cutout& cutout) {
  each_pixel(out, in, batch, ops::Border::kEdge, cutout.fill,
             [&](const Picture& picture, std::int32_t index) {
               const ops::Box box = ops::cutout_box(cutout, batch, index);
               return [=](std::int64_t y, std::int64_t x, std::int64_t c) {
                 const bool is_cut = y >= box.top && y < box.bottom && x >= box.left && x < box.right;
                 return is_cut ? picture.fill[c] : picture.at(y, x, c);
               };
             });
}

inline void warp_affine(double* out, const double* in, const ops::AugmentedBatch& batch,
                        const ops::Affine& affine) {
  each_pixel(out, in, batch, affine.border, affine.fill, [&](const Picture& picture, std::int32_t index) {
    const ops::SourceMap map = ops::affine_source(affine, batch, index);
    return [=](std::int64_t y, std::int64_t x, std::int64_t c) {
      const double row = static_cast<double>(y), column = static_cast<double>(x);
      return picture.between(map.yx * column + map.yy * row + map.y0, map.xx * column + map.xy * row + map.x0,
                             c);
    };
  });
}

inline void warp_elastic(double* out, const double* in, const ops::AugmentedBatch& batch,
                         const ops::Elastic& elastic) {
  const std::int64_t height = batch.height, width = batch.width, radius = elastic.radius();
  std::vector<double> noise(static_cast<std::size_t>(2 * height * width));
  const auto gauss = [&](std::int64_t k) {
    const double distance = static_cast<double>(k) / elastic.sigma;
    return std::exp(-0.5 * distance * distance);
  };
  double sum = 0;
  for (std::int64_t k = -radius; k <= radius; ++k) sum += gauss(k);
  // The noise around a pixel, weighted in both directions at once.
  const auto smooth = [&](std::int64_t field, std::int64_t y, std::int64_t x) {
    double total = 0;
    for (std::int64_t i = -radius; i <= radius; ++i) {
      if (y + i < 0 || y + i >= height) continue;
      for (std::int64_t j = -radius; j <= radius; ++j) {
        if (x + j < 0 || x + j >= width) continue;
        const auto place = static_cast<std::size_t>((field * height + y + i) * width + x + j);
        total += gauss(i) * gauss(j) * noise[place];
      }
    }
    return elastic.alpha * total / (sum * sum);
  };
  each_pixel(out, in, batch, elastic.border, elastic.fill, [&](const Picture& picture, std::int32_t index) {
    ops::ImageNumbers numbers(batch.key, index);
    for (double& number : noise) number = numbers.between(-1, 1);
    return [&, picture](std::int64_t y, std::int64_t x, std::int64_t c) {
      return picture.between(static_cast<double>(y) + smooth(1, y, x),
                             static_cast<double>(x) + smooth(0, y, x), c);
    };
  });
}

// Red, green and blue with the hue of HSV turned by that share of the circle.
inline void turn_hue(double* pixel, double turn) {
  const double value = std::fmax(std::fmax(pixel[0], pixel[1]), pixel[2]);
  const double colour = value - std::fmin(std::fmin(pixel[0], pixel[1]), pixel[2]);
  if (!(colour > 0)) return;  // grey, or NaN
  double hue = 0;
  if (value == pixel[0])
    hue = (pixel[1] - pixel[2]) / colour / 6;
  else if (value == pixel[1])
    hue = ((pixel[2] - pixel[0]) / colour + 2) / 6;
  else
    hue = ((pixel[0] - pixel[1]) / colour + 4) / 6;
  hue += turn;
  const double sector = 6 * (hue - std::floor(hue)), kept = value - colour;
  const double within = sector - 2 * std::floor(sector / 2);  // up to the next primary and down to it
  const double rising = value - colour * std::fabs(within - 1);
  const double colours[6][3] = {{value, rising, kept}, {rising, value, kept}, {kept, value, rising},
                                {kept, rising, value}, {rising, kept, value}, {value, kept, rising}};
  const double* of = colours[static_cast<int>(sector) % 6];
  for (int c = 0; c < 3; ++c) pixel[c] = of[c];
}

inline void jitter_colours(double* out, const double* in, const ops::AugmentedBatch& batch,
                           const ops::ColourJitter& jitter) {
  const std::int64_t channels = batch.channels;
  const auto within_unit = [](double value) {
    return value < 0 ? 0.0 : (value > 1 ? 1.0 : value);
  };  // keeps NaN
  const auto grey_of = [=](const double* pixel) {
    if (channels == 3) return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
    double sum = 0;
    for (std::int64_t c = 0; c < channels; ++c) sum += pixel[c];
    return sum / static_cast<double>(channels);
  };
  for (std::int64_t n = 0; n < batch.count; ++n) {
    const ops::ColourFactors factors = ops::colour_factors(jitter, batch, batch.indices[n]);
    double* image = out + n * batch.image_size();
    for (std::int64_t i = 0; i < batch.image_size(); ++i) {
      const double pixel = in[n * batch.image_size() + i] * jitter.deviation[i % channels];
      image[i] = within_unit((pixel + jitter.mean[i % channels]) * factors.brightness);
    }
    double average = 0;
    for (std::int64_t i = 0; i < batch.pixels(); ++i)
      average += grey_of(image + i * channels) / static_cast<double>(batch.pixels());
    for (std::int64_t i = 0; i < batch.image_size(); ++i)
      image[i] = within_unit(average + factors.contrast * (image[i] - average));
    for (std::int64_t i = 0; i < batch.pixels(); ++i) {
      double* pixel = image + i * channels;
      const double grey = grey_of(pixel);
      for (std::int64_t c = 0; c < channels; ++c)
        pixel[c] = within_unit(grey + factors.saturation * (pixel[c] - grey));
      if (jitter.hue > 0) turn_hue(pixel, factors.hue);
      for (std::int64_t c = 0; c < channels; ++c)
        pixel[c] = (pixel[c] - jitter.mean[c]) / jitter.deviation[c];
    }
  }
}

inline void mix_images(double* out, const double* in, const ops::AugmentedBatch& batch, const ops::Mix& mix) {
  for (std::int64_t n = 0; n < batch.count; ++n) {
    const ops::Mixed mixed = ops::mix_of(mix, batch, batch.indices[n]);
    for (std::int64_t i = 0; i < batch.image_size(); ++i) {
      const std::int64_t y = i / batch.channels / batch.width, x = i / batch.channels % batch.width;
      const ops::Box& box = mixed.box;
      const bool is_inside = y >= box.top && y < box.bottom && x >= box.left && x < box.right;
      const double share = mix.is_cut ? 1 : mixed.share;
      const double other = in[(batch.count - 1 - n) * batch.image_size() + i];
      const double own = is_inside ? other : in[n * batch.image_size() + i];
      out[n * batch.image_size() + i] = share == 1 ? own : share * own + (1 - share) * other;
    }
  }
}

inline void mix_labels(double* targets, const std::int32_t* labels, std::int64_t classes,
                       const ops::AugmentedBatch& batch, const ops::Mix& mix) {
  for (std::int64_t n = 0; n < batch.count; ++n) {
    const double share = ops::mix_of(mix, batch, batch.indices[n]).share;
    for (std::int64_t c = 0; c < classes; ++c) {
      const double own = labels[n] == c ? share : 0, other = labels[batch.count - 1 - n] == c ? 1 - share : 0;
      targets[n * classes + c] = own + other;
    }
  }
}

}  // namespace receptive::reference
