// SPDX-License-Identifier: Apache-2.0
// What softmax and cross-entropy do with a row of class scores, over the vector vocabulary. Include after a
// vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"
#include "kernels/generic/math.inl.h"

namespace receptive {
namespace {

inline float row_max(const float* x, std::int64_t classes) {
  Vec most = broadcast(x[0]);
  std::int64_t i = 0;
  for (; i + kWidth <= classes; i += kWidth) most = max(most, load(x + i));
  if (i < classes) {
    const Mask lanes = first_lanes(static_cast<int>(classes - i));
    most = select(lanes, max(most, load_partial(x + i, lanes)), most);
  }
  return reduce_max(most);
}

// 0 where float32 has hardly a normal number for it
inline Vec shifted_exp(Vec x, Vec most) { return exp(sub(x, most)); }

// Sum of e^(x - most); the terms go to `terms` unless it is nullptr.
inline float row_exp_sum(float* terms, const float* x, float most, std::int64_t classes) {
  const Vec shift = broadcast(most);
  Vec total = zero();
  std::int64_t i = 0;
  for (; i + kWidth <= classes; i += kWidth) {
    const Vec term = shifted_exp(load(x + i), shift);
    if (terms != nullptr) store(terms + i, term);
    total = add(total, term);
  }
  if (i < classes) {
    const Mask lanes = first_lanes(static_cast<int>(classes - i));
    const Vec term = select(lanes, shifted_exp(load_partial(x + i, lanes), shift), zero());
    if (terms != nullptr) store_partial(terms + i, lanes, term);
    total = add(total, term);
  }
  return reduce_add(total);
}

inline void scale_row(float* x, float factor, std::int64_t classes) {
  const Vec by = broadcast(factor);
  std::int64_t i = 0;
  for (; i + kWidth <= classes; i += kWidth) store(x + i, mul(load(x + i), by));
  if (i < classes) {
    const PartialVector rest(classes - i);
    rest.store(x + i, mul(rest.load(x + i), by));
  }
}

}  // namespace
}  // namespace receptive
