// SPDX-License-Identifier: Apache-2.0
#include "reference/local_response_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace receptive::reference {
namespace {

// k + alpha / size * the sum of squares around each channel of a row
std::vector<double> bases(const double* x, std::int64_t channels,
                          const ops::LocalResponseNormOptions& options) {
  std::vector<double> base(static_cast<std::size_t>(channels), options.k);
  for (std::int64_t c = 0; c < channels; ++c) {
    const std::int64_t first = c - options.size / 2;
    const std::int64_t begin = std::max<std::int64_t>(0, first),
                       end = std::min(channels, first + options.size);
    double squares = 0;
    for (std::int64_t i = begin; i < end; ++i) squares += x[i] * x[i];
    base[static_cast<std::size_t>(c)] += options.alpha / static_cast<double>(options.size) * squares;
  }
  return base;
}

// body(index) for the pixels of a channel that lie in the window around (row, column), of an image
template <typename Body>
void for_window(const ops::ResponseImages& images, std::int64_t size, std::int64_t row, std::int64_t column,
                std::int64_t channel, const Body& body) {
  const std::int64_t top = row - size / 2, left = column - size / 2;
  for (std::int64_t i = std::max<std::int64_t>(0, top); i < std::min(images.h, top + size); ++i)
    for (std::int64_t j = std::max<std::int64_t>(0, left); j < std::min(images.w, left + size); ++j)
      body((i * images.w + j) * images.c + channel);
}

// body(row, column, channel, base) for the elements of an image; base: k + alpha / size^2 * the sum of
// squares in its window
template <typename Body>
void for_elements(const double* x, const ops::ResponseImages& images,
                  const ops::LocalResponseNormOptions& options, const Body& body) {
  const double size = static_cast<double>(options.size);
  for (std::int64_t row = 0; row < images.h; ++row)
    for (std::int64_t column = 0; column < images.w; ++column)
      for (std::int64_t c = 0; c < images.c; ++c) {
        double squares = 0;
        for_window(images, options.size, row, column, c, [&](std::int64_t i) { squares += x[i] * x[i]; });
        body(row, column, c, options.k + options.alpha / (size * size) * squares);
      }
}

}  // namespace

void map_response_norm_forward(double* y, const double* x, const ops::ResponseImages& images,
                               const ops::LocalResponseNormOptions& options) {
  const std::int64_t elements = images.h * images.w * images.c;
  for (std::int64_t n = 0; n < images.n; ++n, y += elements, x += elements)
    for_elements(x, images, options, [&](std::int64_t row, std::int64_t column, std::int64_t c, double base) {
      const std::int64_t at = (row * images.w + column) * images.c + c;
      y[at] = x[at] / std::pow(base, options.beta);
    });
}

void map_response_norm_backward(double* dx, const double* dy, const double* x,
                                const ops::ResponseImages& images,
                                const ops::LocalResponseNormOptions& options) {
  const double size = static_cast<double>(options.size);
  const double factor = -2.0 * options.beta * options.alpha / (size * size);
  const std::int64_t elements = images.h * images.w * images.c;
  for (std::int64_t n = 0; n < images.n; ++n, dx += elements, dy += elements, x += elements) {
    std::fill(dx, dx + elements, 0.0);
    for_elements(x, images, options, [&](std::int64_t row, std::int64_t column, std::int64_t c, double base) {
      const std::int64_t at = (row * images.w + column) * images.c + c;
      dx[at] += dy[at] / std::pow(base, options.beta);
      const double through = factor * dy[at] * x[at] * std::pow(base, -options.beta - 1.0);
      for_window(images, options.size, row, column, c, [&](std::int64_t i) { dx[i] += through * x[i]; });
    });
  }
}

void local_response_norm_forward(double* y, const double* x, std::int64_t rows, std::int64_t channels,
                                 const ops::LocalResponseNormOptions& options) {
  for (std::int64_t row = 0; row < rows; ++row, y += channels, x += channels) {
    const std::vector<double> base = bases(x, channels, options);
    for (std::int64_t c = 0; c < channels; ++c)
      y[c] = x[c] / std::pow(base[static_cast<std::size_t>(c)], options.beta);
  }
}

void local_response_norm_backward(double* dx, const double* dy, const double* x, std::int64_t rows,
                                  std::int64_t channels, const ops::LocalResponseNormOptions& options) {
  const double factor = -2.0 * options.beta * options.alpha / static_cast<double>(options.size);
  for (std::int64_t row = 0; row < rows; ++row, dx += channels, dy += channels, x += channels) {
    const std::vector<double> base = bases(x, channels, options);
    std::vector<double> gradient(static_cast<std::size_t>(channels));
    for (std::int64_t c = 0; c < channels; ++c) {
      const double of = base[static_cast<std::size_t>(c)];
      gradient[static_cast<std::size_t>(c)] += dy[c] / std::pow(of, options.beta);
      const std::int64_t first = c - options.size / 2;
      const double through = factor * dy[c] * x[c] * std::pow(of, -options.beta - 1.0);
      const std::int64_t end = std::min(channels, first + options.size);
      for (std::int64_t i = std::max<std::int64_t>(0, first); i < end; ++i)
        gradient[static_cast<std::size_t>(i)] += through * x[i];
    }
    std::copy(gradient.begin(), gradient.end(), dx);
  }
}

}  // namespace receptive::reference
