// SPDX-License-Identifier: Apache-2.0
// Losses of numbers and their gradients over the vector vocabulary. Include after a vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"
#include "kernels/generic/math.inl.h"
#include "kernels/loss_kernels.h"

namespace receptive {
namespace {

// A loss and its gradients by input and target.
struct LossParts {
  Vec loss, d_input, d_target;
};

// NaN comes out of every loss: min and max return their second operand for it, and 0 - NaN is NaN.
inline LossParts of_difference(Vec loss, Vec slope) { return {loss, slope, sub(zero(), slope)}; }

struct MseLoss {
  static inline LossParts apply(Vec x, Vec t, Vec, Vec) {
    const Vec d = sub(x, t);
    return of_difference(mul(d, d), add(d, d));
  }
};

struct L1Loss {
  static inline LossParts apply(Vec x, Vec t, Vec, Vec) {
    const Vec d = sub(x, t), one = broadcast(1.0f);
    // d itself where it is 0 or NaN
    const Vec slope = select(greater(d, zero()), one, select(less(d, zero()), sub(zero(), one), d));
    return of_difference(abs(d), slope);
  }
};

struct HuberLoss {
  static inline LossParts apply(Vec x, Vec t, Vec, Vec delta) {
    const Vec d = sub(x, t), size = abs(d);
    const Vec part = min(delta, size);  // of the difference that is squared
    return of_difference(mul(part, sub(size, mul(broadcast(0.5f), part))),
                         max(sub(zero(), delta), min(delta, d)));
  }
};

struct BceWithLogitsLoss {
  static inline LossParts apply(Vec x, Vec t, Vec positive, Vec) {
    const Vec one = broadcast(1.0f);
    const Vec e = exp(sub(zero(), abs(x))), tail = log1p_of_fraction(e);
    const Vec large = div(one, add(one, e)), small = div(e, add(one, e));
    const Mask negative = less(x, zero());
    // sigmoid and softplus of x and -x, none of them by a difference
    const Vec chance = select(negative, small, large), against = select(negative, large, small);
    const Vec if_no = add(max(zero(), x), tail), if_yes = add(max(zero(), sub(zero(), x)), tail);
    const Vec yes = mul(positive, t), no = sub(one, t);
    return {fma(yes, if_yes, mul(no, if_no)), sub(mul(no, chance), mul(yes, against)),
            sub(mul(positive, if_yes), if_no)};
  }
};

struct KlDivergenceLoss {
  static inline LossParts apply(Vec x, Vec t, Vec, Vec) {
    const Vec log_t = log(t);
    const Vec entropy = select(equal(t, zero()), zero(), mul(t, log_t));
    return {sub(entropy, mul(t, x)), sub(zero(), t), add(sub(log_t, x), broadcast(1.0f))};
  }
};

struct KlDivergenceLogLoss {
  static inline LossParts apply(Vec x, Vec t, Vec, Vec) {
    const Vec p = exp_or_infinity(t), loss = mul(p, sub(t, x));
    return {loss, sub(zero(), p), add(loss, p)};
  }
};

template <typename Loss, typename Lanes>
inline void loss_at(const PointwiseArrays& arrays, const PointwiseNumbers& by, std::int64_t i, Lanes lanes) {
  const Vec one = broadcast(1.0f);
  const Vec positive = arrays.positive == nullptr ? one : lanes.load(arrays.positive + i);
  const LossParts parts =
      Loss::apply(lanes.load(arrays.input + i), lanes.load(arrays.target + i), positive, broadcast(by.delta));
  const Vec weight = arrays.weight == nullptr ? one : lanes.load(arrays.weight + i);
  const Vec slope = mul(weight, broadcast(by.gradient_factor));
  lanes.store(arrays.loss + i, mul(parts.loss, mul(weight, broadcast(by.loss_factor))));
  if (arrays.d_input != nullptr) lanes.store(arrays.d_input + i, mul(parts.d_input, slope));
  if (arrays.d_target != nullptr) lanes.store(arrays.d_target + i, mul(parts.d_target, slope));
}

template <typename Loss>
void pointwise_loss(const PointwiseArrays& arrays, const PointwiseNumbers& by, std::int64_t count) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) loss_at<Loss>(arrays, by, i, WholeVector{});
  if (i < count) loss_at<Loss>(arrays, by, i, PartialVector(count - i));
}

}  // namespace
}  // namespace receptive
