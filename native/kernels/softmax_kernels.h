// SPDX-License-Identifier: Apache-2.0
// Contracts of the softmax kernels: rows of class scores, each summed in a fixed order. A NaN or +Inf
// makes its whole row NaN; -Inf is a class of probability 0.
#pragma once

#include <cstdint>

namespace receptive {

struct SoftmaxKernels {
  // y may be x.
  void (*forward)(float* y, const float* x, std::int64_t rows, std::int64_t classes);
  // dx = y * (dy - sum(dy * y)); dx may be dy.
  void (*backward)(float* dx, const float* dy, const float* y, std::int64_t rows, std::int64_t classes);
  // y = x - max - log(sum of e^(x - max)), which keeps the digits of small probabilities; y may be x.
  void (*log_forward)(float* y, const float* x, std::int64_t rows, std::int64_t classes);
  // dx = dy - e^y * sum(dy); dx may be dy or y.
  void (*log_backward)(float* dx, const float* dy, const float* y, std::int64_t rows, std::int64_t classes);
  // The sum of the rows' losses -log softmax(logits)[label], and dlogits = (softmax(logits) - onehot(label))
  // * scale unless dlogits is nullptr; dlogits may be logits. Labels must be in range.
  double (*cross_entropy)(float* dlogits, const float* logits, const std::int32_t* labels, std::int64_t rows,
                          std::int64_t classes, float scale);
};

}  // namespace receptive
