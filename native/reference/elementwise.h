// SPDX-License-Identifier: Apache-2.0
// Elementwise arithmetic and sums in double precision.
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

inline void add_bias(double* out, const double* in, const double* bias, std::int64_t rows,
                     std::int64_t columns) {
  for (std::int64_t i = 0; i < rows * columns; ++i) out[i] = in[i] + bias[i % columns];
}

}  // namespace receptive::reference
