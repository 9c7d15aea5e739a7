// SPDX-License-Identifier: Apache-2.0
// Cross-entropy with class weights, smoothed and soft labels over the vector vocabulary. Include after a
// vec.h.
#pragma once

#include <math.h>

#include "kernels/generic/softmax_rows.inl.h"
#include "kernels/loss_kernels.h"

namespace receptive {
namespace {

// body.apply(first element, lanes) for every vector of a row
template <typename Body>
inline void for_each_in_row(Body* body, std::int64_t classes) {
  std::int64_t i = 0;
  for (; i + kWidth <= classes; i += kWidth) body->apply(i, WholeVector{});
  if (i < classes) body->apply(i, PartialVector(classes - i));
}

struct BaseDot {
  const float *x, *base;
  Vec most, sum;

  template <typename Lanes>
  inline void apply(std::int64_t i, Lanes lanes) {
    sum = fma(lanes.load(base + i), sub(lanes.load(x + i), most), sum);
  }
};

inline float dot_with_base(const float* x, const float* base, float most, std::int64_t classes) {
  BaseDot body = {x, base, broadcast(most), zero()};
  for_each_in_row(&body, classes);
  return reduce_add(body.sum);
}

// Sums of a row's target weights, and of these times the scores less `most`
struct TargetSums {
  const float *x, *targets, *slope, *base;
  Vec most, total, dot;

  template <typename Lanes>
  inline void apply(std::int64_t i, Lanes lanes) {
    const Vec weight = fma(lanes.load(targets + i), lanes.load(slope + i), lanes.load(base + i));
    total = add(total, weight);
    dot = fma(weight, sub(lanes.load(x + i), most), dot);
  }
};

// d = terms * share - weight * scale, where terms are the exponentials that stand in d
struct BaseGradient {
  float* d;
  const float* base;  // nullptr for zeros
  Vec share, scale;

  template <typename Lanes>
  inline void apply(std::int64_t i, Lanes lanes) {
    const Vec weight = base == nullptr ? zero() : mul(lanes.load(base + i), scale);
    lanes.store(d + i, sub(mul(lanes.load(d + i), share), weight));
  }
};

struct TargetGradient {
  float* d;
  const float *targets, *slope, *base;
  Vec share, scale;

  template <typename Lanes>
  inline void apply(std::int64_t i, Lanes lanes) {
    const Vec weight = fma(lanes.load(targets + i), lanes.load(slope + i), lanes.load(base + i));
    lanes.store(d + i, sub(mul(lanes.load(d + i), share), mul(weight, scale)));
  }
};

// The gradient of a target: slope times -log softmax
struct TargetsGradient {
  float* d;
  const float *x, *slope;
  Vec most, log_total, scale;

  template <typename Lanes>
  inline void apply(std::int64_t i, Lanes lanes) {
    const Vec surprise = sub(log_total, sub(lanes.load(x + i), most));
    lanes.store(d + i, mul(mul(lanes.load(slope + i), surprise), scale));
  }
};

double cross_entropy_labels(const CrossEntropyRows& of, const std::int32_t* labels, const float* at_label,
                            const float* base, float base_total, std::int64_t ignored) {
  double sum = 0;
  for (std::int64_t row = 0; row < of.rows; ++row) {
    const float* x = of.logits + row * of.classes;
    float* d = of.d_logits == nullptr ? nullptr : of.d_logits + row * of.classes;
    const std::int32_t label = labels[row];
    if (label == ignored) {
      if (of.losses != nullptr) of.losses[row] = 0.0f;
      for (std::int64_t c = 0; d != nullptr && c < of.classes; ++c) d[c] = 0.0f;
      continue;
    }
    const float most = row_max(x, of.classes), of_label = x[label] - most, weight = at_label[label];
    const float dot = base == nullptr ? 0.0f : dot_with_base(x, base, most, of.classes);
    const float total = row_exp_sum(d, x, most, of.classes);
    const double log_total = ::log(static_cast<double>(total));
    double loss = static_cast<double>(weight) * (log_total - static_cast<double>(of_label));
    if (base != nullptr) loss += static_cast<double>(base_total) * log_total - static_cast<double>(dot);
    if (of.losses != nullptr) of.losses[row] = static_cast<float>(loss);
    sum += loss;
    if (d == nullptr) continue;
    // As without options: the label's own probability loses its target before the rounding by `scale`.
    const float all = weight + base_total, probability = d[label] / total;
    BaseGradient gradient = {d, base, broadcast(all / total * of.scale), broadcast(of.scale)};
    for_each_in_row(&gradient, of.classes);
    const float own = base == nullptr ? weight : weight + base[label];
    d[label] = (all * probability - own) * of.scale;
  }
  return sum;
}

double cross_entropy_targets(const CrossEntropyRows& of, float* d_targets, const float* targets,
                             const float* slope, const float* base) {
  double sum = 0;
  for (std::int64_t row = 0; row < of.rows; ++row) {
    const std::int64_t first = row * of.classes;
    const float *x = of.logits + first, *t = targets + first;
    float* d = of.d_logits == nullptr ? nullptr : of.d_logits + first;
    const float most = row_max(x, of.classes), total = row_exp_sum(d, x, most, of.classes);
    const double log_total = ::log(static_cast<double>(total));
    TargetSums sums = {x, t, slope, base, broadcast(most), zero(), zero()};
    for_each_in_row(&sums, of.classes);
    const float weights = reduce_add(sums.total), dot = reduce_add(sums.dot);
    const double loss = static_cast<double>(weights) * log_total - static_cast<double>(dot);
    if (of.losses != nullptr) of.losses[row] = static_cast<float>(loss);
    sum += loss;
    if (d != nullptr) {
      const Vec share = broadcast(weights / total * of.scale);
      TargetGradient gradient = {d, t, slope, base, share, broadcast(of.scale)};
      for_each_in_row(&gradient, of.classes);
    }
    if (d_targets == nullptr) continue;
    const Vec surprise = broadcast(static_cast<float>(log_total));
    TargetsGradient gradient = {d_targets + first, x, slope, broadcast(most), surprise, broadcast(of.scale)};
    for_each_in_row(&gradient, of.classes);
  }
  return sum;
}

void scale_rows(float* out, const float* in, const float* factors, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t row = 0; row < rows; ++row, out += columns, in += columns) {
    const Vec by = broadcast(factors[row]);
    std::int64_t i = 0;
    for (; i + kWidth <= columns; i += kWidth) store(out + i, mul(load(in + i), by));
    if (i < columns) {
      const PartialVector rest(columns - i);
      rest.store(out + i, mul(rest.load(in + i), by));
    }
  }
}

}  // namespace
}  // namespace receptive
