// SPDX-License-Identifier: Apache-2.0
#include "reference/pointwise_loss.h"

#include <cmath>

namespace receptive::reference {
namespace {

struct Parts {
  double loss, d_input, d_target;
};

double sign(double d) { return d > 0 ? 1 : d < 0 ? -1 : d; }
double softplus(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

Parts huber(double d, double delta) {
  const double size = std::fabs(d);
  if (size > delta) return {delta * (size - delta / 2), delta * sign(d), -delta * sign(d)};
  return {d * d / 2, d, -d};
}

Parts parts_of(PointwiseLoss kind, double x, double t, double positive, double delta) {
  const double d = x - t;
  switch (kind) {
    case kMse:
      return {d * d, 2 * d, -2 * d};
    case kL1:
      return {std::fabs(d), sign(d), -sign(d)};
    case kHuber:
      return huber(d, delta);
    case kBceWithLogits:
      return {(1 - t) * softplus(x) + positive * t * softplus(-x),
              (1 - t) * sigmoid(x) - positive * t * sigmoid(-x), positive * softplus(-x) - softplus(x)};
    case kKlDivergence:
      return {(t == 0 ? 0.0 : t * std::log(t)) - t * x, -t, std::log(t) + 1 - x};
    case kKlDivergenceLog:
      return {std::exp(t) * (t - x), -std::exp(t), std::exp(t) * (t - x + 1)};
    case kPointwiseLosses:
      break;
  }
  return {0, 0, 0};
}

}  // namespace

void pointwise_loss(double* loss, double* d_input, double* d_target, const double* input,
                    const double* target, std::int64_t count, const ops::PointwiseOptions<double>& options) {
  double total = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const Parts parts = parts_of(options.kind, input[i], target[i], options.positive.at(i), options.delta);
    const double factor = options.factor * options.weight.at(i);
    if (!options.reduces) loss[i] = parts.loss * factor;
    if (d_input != nullptr) d_input[i] = parts.d_input * factor;
    if (d_target != nullptr) d_target[i] = parts.d_target * factor;
    total += parts.loss * factor;
  }
  if (options.reduces) *loss = total;
}

}  // namespace receptive::reference
