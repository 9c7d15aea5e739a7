// SPDX-License-Identifier: Apache-2.0
#include "reference/group_norm.h"

#include <cmath>

namespace receptive::reference {
namespace {

// body(element, channel) for all elements of a group of a sample
template <typename Body>
void for_group(const ops::GroupNormSize& size, std::int64_t sample, std::int64_t group, const Body& body) {
  for (std::int64_t pixel = 0; pixel < size.pixels; ++pixel) {
    for (std::int64_t c = group * size.width; c < (group + 1) * size.width; ++c)
      body((sample * size.pixels + pixel) * size.channels() + c, c);
  }
}

template <typename Body>
double group_mean(const ops::GroupNormSize& size, std::int64_t sample, std::int64_t group,
                  const Body& value) {
  double total = 0;
  for_group(size, sample, group, [&](std::int64_t i, std::int64_t c) { total += value(i, c); });
  return total / static_cast<double>(size.pixels * size.width);
}

}  // namespace

void group_norm_forward(const ops::GroupNormOperands<double>& to, const ops::GroupNormSize& size,
                        double eps) {
  for (std::int64_t s = 0; s < size.statistics(); ++s) {
    const std::int64_t sample = s / size.groups, group = s % size.groups;
    const double mean =
        group_mean(size, sample, group, [&](std::int64_t i, std::int64_t) { return to.x[i]; });
    const double variance = group_mean(size, sample, group, [&](std::int64_t i, std::int64_t) {
      return (to.x[i] - mean) * (to.x[i] - mean);
    });
    to.mean[s] = mean;
    to.inverse_std[s] = 1.0 / std::sqrt(variance + eps);
    for_group(size, sample, group, [&](std::int64_t i, std::int64_t c) {
      const double weight = to.weight == nullptr ? 1.0 : to.weight[c];
      to.y[i] = (to.x[i] - mean) * to.inverse_std[s] * weight + (to.bias == nullptr ? 0.0 : to.bias[c]);
    });
  }
}

void group_norm_backward(const ops::GroupNormGradients<double>& of, const ops::GroupNormSize& size) {
  for (std::int64_t c = 0; c < size.channels(); ++c) {
    if (of.dweight != nullptr) of.dweight[c] = 0;
    if (of.dbias != nullptr) of.dbias[c] = 0;
  }
  for (std::int64_t s = 0; s < size.statistics(); ++s) {
    const std::int64_t sample = s / size.groups, group = s % size.groups;
    const auto normalized = [&](std::int64_t i) { return (of.x[i] - of.mean[s]) * of.inverse_std[s]; };
    const auto gradient = [&](std::int64_t i, std::int64_t c) {
      return of.weight == nullptr ? of.dy[i] : of.weight[c] * of.dy[i];
    };
    const double mean = group_mean(size, sample, group, gradient);
    const double product_mean = group_mean(
        size, sample, group, [&](std::int64_t i, std::int64_t c) { return gradient(i, c) * normalized(i); });
    for_group(size, sample, group, [&](std::int64_t i, std::int64_t c) {
      if (of.dweight != nullptr) of.dweight[c] += of.dy[i] * normalized(i);
      if (of.dbias != nullptr) of.dbias[c] += of.dy[i];
      if (of.dx == nullptr) return;
      of.dx[i] = of.inverse_std[s] * (gradient(i, c) - mean - normalized(i) * product_mean);
    });
  }
}

}  // namespace receptive::reference
