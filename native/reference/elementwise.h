// SPDX-License-Identifier: Apache-2.0
// Elementwise functions, sums and activations in double precision.
#pragma once

#include <cmath>
#include <cstdint>

namespace receptive::reference {

inline void add(double* out, const double* a, const double* b, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = a[i] + b[i];
}
inline void multiply(double* out, const double* a, const double* b, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = a[i] * b[i];
}
inline void scale(double* out, const double* in, double factor, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = in[i] * factor;
}
inline double sum(const double* in, std::int64_t count, double factor) {
  double total = 0;
  for (std::int64_t i = 0; i < count; ++i) total += in[i];
  return factor * total;
}
inline bool is_finite(const double* in, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(in[i])) return false;
  }
  return true;
}
inline void column_sum(double* out, const double* in, std::int64_t rows, std::int64_t columns) {
  for (std::int64_t c = 0; c < columns; ++c) out[c] = 0;
  for (std::int64_t i = 0; i < rows * columns; ++i) out[i % columns] += in[i];
}

inline void relu_forward(double* y, const double* x, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] < 0 ? 0.0 : x[i];
}
inline void relu_backward(double* dx, const double* dy, const double* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) dx[i] = y[i] > 0 ? dy[i] : 0.0;
}
inline void tanh_forward(double* y, const double* x, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = std::tanh(x[i]);
}
inline void tanh_backward(double* dx, const double* dy, const double* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) dx[i] = dy[i] * (1.0 - y[i] * y[i]);
}
inline void sigmoid_forward(double* y, const double* x, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = 1.0 / (1.0 + std::exp(-x[i]));
}
inline void sigmoid_backward(double* dx, const double* dy, const double* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) dx[i] = dy[i] * y[i] * (1.0 - y[i]);
}

}  // namespace receptive::reference
