// SPDX-License-Identifier: Apache-2.0
#include "reference/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace receptive::reference {
namespace {

using Options = ops::CrossEntropyOptions<double>;

// The weight of each class, times `factor`.
std::vector<double> weights(const Options& options, std::int64_t classes, double factor) {
  std::vector<double> result(static_cast<std::size_t>(classes), factor);
  for (std::int64_t c = 0; options.weight != nullptr && c < classes; ++c)
    result[static_cast<std::size_t>(c)] *= options.weight[c];
  return result;
}

double log_sum(const double* x, std::int64_t classes) {
  const double most = *std::max_element(x, x + classes);
  double total = 0;
  for (std::int64_t c = 0; c < classes; ++c) total += std::exp(x[c] - most);
  return most + std::log(total);
}

// Where the losses of rows go: each to its place, or all into one.
class Losses {
 public:
  Losses(double* loss, ops::Reduction reduction, double divisor)
      : loss_(loss), keeps_(reduction == ops::Reduction::kNone) {
    factor_ = reduction == ops::Reduction::kMean ? 1 / divisor : 1;
    divisor_ = reduction == ops::Reduction::kMean ? divisor : 1;
  }
  double factor() const { return factor_; }
  void add(std::int64_t row, double loss) {
    if (keeps_) loss_[row] = loss;
    total_ += loss;
  }
  void finish() {
    if (!keeps_) *loss_ = total_ / divisor_;
  }

 private:
  double* loss_;
  bool keeps_;
  double factor_, divisor_, total_ = 0;
};

}  // namespace

void cross_entropy_labels(double* loss, double* d_logits, const double* logits, const std::int32_t* labels,
                          std::int64_t rows, std::int64_t classes, const Options& options) {
  const std::vector<double> at_label = weights(options, classes, 1 - options.smoothing);
  const std::vector<double> spread =
      weights(options, classes, options.smoothing / static_cast<double>(classes));
  Losses losses(loss, options.reduction, ops::counted_weight(labels, rows, options));
  for (std::int64_t row = 0; row < rows; ++row) {
    const double* x = logits + row * classes;
    double* d = d_logits == nullptr ? nullptr : d_logits + row * classes;
    const std::int32_t label = labels[row];
    if (label == options.ignored) {
      if (d != nullptr) std::fill_n(d, classes, 0.0);
      losses.add(row, 0);
      continue;
    }
    const double all = log_sum(x, classes), own = at_label[static_cast<std::size_t>(label)];
    double sum = own * (all - x[label]), total = own;
    for (std::int64_t c = 0; options.smoothing != 0 && c < classes; ++c) {
      sum += spread[static_cast<std::size_t>(c)] * (all - x[c]);
      total += spread[static_cast<std::size_t>(c)];
    }
    losses.add(row, sum);
    for (std::int64_t c = 0; d != nullptr && c < classes; ++c) {
      const double target = spread[static_cast<std::size_t>(c)] + (c == label ? own : 0.0);
      d[c] = (total * std::exp(x[c] - all) - target) * losses.factor();
    }
  }
  losses.finish();
}

void cross_entropy_targets(double* loss, double* d_logits, double* d_targets, const double* logits,
                           const double* targets, std::int64_t rows, std::int64_t classes,
                           const Options& options) {
  const std::vector<double> slope = weights(options, classes, 1 - options.smoothing);
  const std::vector<double> spread =
      weights(options, classes, options.smoothing / static_cast<double>(classes));
  Losses losses(loss, options.reduction, static_cast<double>(rows));
  for (std::int64_t row = 0; row < rows; ++row) {
    const double *x = logits + row * classes, *t = targets + row * classes;
    const double all = log_sum(x, classes);
    const auto target = [&](std::int64_t c) {
      return slope[static_cast<std::size_t>(c)] * t[c] + spread[static_cast<std::size_t>(c)];
    };
    double sum = 0, total = 0;
    for (std::int64_t c = 0; c < classes; ++c) {
      sum += target(c) * (all - x[c]);
      total += target(c);
    }
    losses.add(row, sum);
    for (std::int64_t c = 0; c < classes; ++c) {
      const double probability = std::exp(x[c] - all), at = losses.factor();
      if (d_logits != nullptr) d_logits[row * classes + c] = (total * probability - target(c)) * at;
      if (d_targets != nullptr)
        d_targets[row * classes + c] = slope[static_cast<std::size_t>(c)] * (all - x[c]) * at;
    }
  }
  losses.finish();
}

}  // namespace receptive::reference
