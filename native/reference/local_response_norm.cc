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

}  // namespace

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
