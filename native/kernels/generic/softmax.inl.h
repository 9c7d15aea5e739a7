// SPDX-License-Identifier: Apache-2.0
// Softmax and cross-entropy of rows over the vector vocabulary. Include after a vec.h.
#pragma once

#include <math.h>

#include "kernels/generic/softmax_rows.inl.h"
#include "kernels/softmax_kernels.h"

namespace receptive {
namespace {

void softmax_forward(float* y, const float* x, std::int64_t rows, std::int64_t classes) {
  for (std::int64_t row = 0; row < rows; ++row, y += classes, x += classes) {
    const float total = row_exp_sum(y, x, row_max(x, classes), classes);
    scale_row(y, 1.0f / total, classes);
  }
}

void softmax_backward(float* dx, const float* dy, const float* y, std::int64_t rows, std::int64_t classes) {
  for (std::int64_t row = 0; row < rows; ++row, dx += classes, dy += classes, y += classes) {
    Vec products = zero();
    std::int64_t i = 0;
    for (; i + kWidth <= classes; i += kWidth) products = fma(load(dy + i), load(y + i), products);
    const PartialVector rest(classes - i);
    if (i < classes) products = fma(rest.load(dy + i), rest.load(y + i), products);
    const Vec dot = broadcast(reduce_add(products));
    for (i = 0; i + kWidth <= classes; i += kWidth) store(dx + i, mul(load(y + i), sub(load(dy + i), dot)));
    if (i < classes) rest.store(dx + i, mul(rest.load(y + i), sub(rest.load(dy + i), dot)));
  }
}

void log_softmax_forward(float* y, const float* x, std::int64_t rows, std::int64_t classes) {
  for (std::int64_t row = 0; row < rows; ++row, y += classes, x += classes) {
    const float most = row_max(x, classes);
    const float total = row_exp_sum(nullptr, x, most, classes);
    const Vec shift = broadcast(most),
              log_total = broadcast(static_cast<float>(::log(static_cast<double>(total))));
    std::int64_t i = 0;
    for (; i + kWidth <= classes; i += kWidth) store(y + i, sub(sub(load(x + i), shift), log_total));
    if (i < classes) {
      const PartialVector rest(classes - i);
      rest.store(y + i, sub(sub(rest.load(x + i), shift), log_total));
    }
  }
}

void log_softmax_backward(float* dx, const float* dy, const float* y, std::int64_t rows,
                          std::int64_t classes) {
  for (std::int64_t row = 0; row < rows; ++row, dx += classes, dy += classes, y += classes) {
    Vec gradients = zero();
    std::int64_t i = 0;
    for (; i + kWidth <= classes; i += kWidth) gradients = add(gradients, load(dy + i));
    const PartialVector rest(classes - i);
    if (i < classes) gradients = add(gradients, rest.load(dy + i));
    const Vec total = broadcast(-reduce_add(gradients));
    for (i = 0; i + kWidth <= classes; i += kWidth) store(dx + i, fma(exp(load(y + i)), total, load(dy + i)));
    if (i < classes) rest.store(dx + i, fma(exp(rest.load(y + i)), total, rest.load(dy + i)));
  }
}

double cross_entropy(float* dlogits, const float* logits, const std::int32_t* labels, std::int64_t rows,
                     std::int64_t classes, float scale) {
  double losses = 0;
  for (std::int64_t row = 0; row < rows; ++row, logits += classes) {
    const float most = row_max(logits, classes);
    const float of_label = logits[labels[row]] - most;
    const float total = row_exp_sum(dlogits, logits, most, classes);
    losses += ::log(static_cast<double>(total)) - static_cast<double>(of_label);
    if (dlogits == nullptr) continue;
    // The label's own probability loses 1 before the rounding by `scale`, so that a row's gradients sum to 0.
    const float probability = dlogits[labels[row]] / total;
    scale_row(dlogits, scale / total, classes);
    dlogits[labels[row]] = (probability - 1.0f) * scale;
    dlogits += classes;
  }
  return losses;
}

constexpr SoftmaxKernels kSoftmaxKernels = {softmax_forward, softmax_backward, log_softmax_forward,
                                            log_softmax_backward, cross_entropy};

}  // namespace
}  // namespace receptive
