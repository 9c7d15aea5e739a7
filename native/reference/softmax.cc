// SPDX-License-Identifier: Apache-2.0
#include "reference/softmax.h"

#include <algorithm>
#include <cmath>

namespace receptive::reference {
namespace {

struct RowSum {
  double most, total;  // the largest score, and the sum of e^(x - most)
};

RowSum sum_row(const double* x, std::int64_t classes) {
  RowSum sum = {*std::max_element(x, x + classes), 0};
  for (std::int64_t c = 0; c < classes; ++c) sum.total += std::exp(x[c] - sum.most);
  return sum;
}

}  // namespace

void softmax_forward(double* y, const double* x, std::int64_t rows, std::int64_t classes) {
  for (std::int64_t row = 0; row < rows; ++row, y += classes, x += classes) {
    const RowSum sum = sum_row(x, classes);
    for (std::int64_t c = 0; c < classes; ++c) y[c] = std::exp(x[c] - sum.most) / sum.total;
  }
}

void softmax_backward(double* dx, const double* dy, const double* y, std::int64_t rows,
                      std::int64_t classes) {
  for (std::int64_t row = 0; row < rows; ++row, dx += classes, dy += classes, y += classes) {
    double dot = 0;
    for (std::int64_t c = 0; c < classes; ++c) dot += dy[c] * y[c];
    for (std::int64_t c = 0; c < classes; ++c) dx[c] = y[c] * (dy[c] - dot);
  }
}

void log_softmax_forward(double* y, const double* x, std::int64_t rows, std::int64_t classes) {
  for (std::int64_t row = 0; row < rows; ++row, y += classes, x += classes) {
    const RowSum sum = sum_row(x, classes);
    for (std::int64_t c = 0; c < classes; ++c) y[c] = x[c] - sum.most - std::log(sum.total);
  }
}

void log_softmax_backward(double* dx, const double* dy, const double* y, std::int64_t rows,
                          std::int64_t classes) {
  for (std::int64_t row = 0; row < rows; ++row, dx += classes, dy += classes, y += classes) {
    double total = 0;
    for (std::int64_t c = 0; c < classes; ++c) total += dy[c];
    for (std::int64_t c = 0; c < classes; ++c) dx[c] = dy[c] - std::exp(y[c]) * total;
  }
}

double softmax_cross_entropy(double* dlogits, const double* logits, const std::int32_t* labels,
                             std::int64_t rows, std::int64_t classes) {
  double losses = 0;
  for (std::int64_t row = 0; row < rows; ++row, logits += classes) {
    const RowSum sum = sum_row(logits, classes);
    losses += std::log(sum.total) - (logits[labels[row]] - sum.most);
    if (dlogits == nullptr) continue;
    for (std::int64_t c = 0; c < classes; ++c) {
      const double probability = std::exp(logits[c] - sum.most) / sum.total;
      dlogits[c] = (probability - (c == labels[row] ? 1.0 : 0.0)) / static_cast<double>(rows);
    }
    dlogits += classes;
  }
  return losses / static_cast<double>(rows);
}

}  // namespace receptive::reference
