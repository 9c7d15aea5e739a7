// SPDX-License-Identifier: Apache-2.0
// Activations in double precision, straight from their definitions: y from x, and dx from dy and what the
// list in kernels/activation_kernels.h says is kept.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/activation_kernels.h"

namespace receptive::reference {

using DoubleOptions = ActivationOptions<double>;

struct Relu {
  static double forward(double x, const DoubleOptions&) { return x < 0 ? 0.0 : x; }
  static double backward(double dy, double y, const DoubleOptions&) { return y > 0 ? dy : 0.0; }
};

struct Relu6 {
  static double forward(double x, const DoubleOptions&) { return x > 6 ? 6.0 : Relu::forward(x, {}); }
  static double backward(double dy, double y, const DoubleOptions&) { return y > 0 && y < 6 ? dy : 0.0; }
};

struct Tanh {
  static double forward(double x, const DoubleOptions&) { return std::tanh(x); }
  static double backward(double dy, double y, const DoubleOptions&) { return dy * (1.0 - y * y); }
};

struct Sigmoid {
  static double forward(double x, const DoubleOptions&) { return 1.0 / (1.0 + std::exp(-x)); }
  static double backward(double dy, double y, const DoubleOptions&) { return dy * y * (1.0 - y); }
};

struct LeakyRelu {
  static double forward(double x, const DoubleOptions& slope) { return x > 0 ? x : slope.first * x; }
  static double backward(double dy, double kept, const DoubleOptions& slope) {
    return kept > 0 ? dy : slope.first * dy;
  }
};

struct Elu {
  static double forward(double x, const DoubleOptions& alpha) {
    return x < 0 ? alpha.first * std::expm1(x) : x;
  }
  static double backward(double dy, double x, const DoubleOptions& alpha) {
    return x > 0 ? dy : dy * alpha.first * std::exp(x);
  }
};

struct Gelu {
  static double below(double x) { return 0.5 * std::erfc(-x * M_SQRT1_2); }
  static double forward(double x, const DoubleOptions&) { return x * below(x); }
  static double backward(double dy, double x, const DoubleOptions&) {
    const double density = std::exp(-0.5 * x * x) * (0.5 * M_SQRT1_2 * M_2_SQRTPI);
    return dy * (below(x) + x * density);
  }
};

struct GeluTanh {
  static constexpr double kScale = M_SQRT2 * M_2_SQRTPI, kCubic = 0.044715;  // 2 sqrt(2 / pi)
  static double share(double x) { return Sigmoid::forward(kScale * (x + kCubic * x * x * x), {}); }
  static double forward(double x, const DoubleOptions&) { return x * share(x); }
  static double backward(double dy, double x, const DoubleOptions&) {
    const double s = share(x);
    if (s * (1.0 - s) == 0.0 && std::isfinite(x)) return dy * s;  // the slope of `share` may overflow there
    return dy * (s + x * s * (1.0 - s) * kScale * (1.0 + 3.0 * kCubic * x * x));
  }
};

struct Silu {
  static double forward(double x, const DoubleOptions&) { return x * Sigmoid::forward(x, {}); }
  static double backward(double dy, double x, const DoubleOptions&) {
    const double s = Sigmoid::forward(x, {});
    return dy * s * (1.0 + x * (1.0 - s));
  }
};

struct Hardswish {
  static double forward(double x, const DoubleOptions&) {
    return x * (std::fmin(std::fmax(x + 3.0, 0.0), 6.0) / 6.0);
  }
  static double backward(double dy, double x, const DoubleOptions&) {
    if (x <= -3.0) return 0.0;
    return x < 3.0 ? dy * (x / 3.0 + 0.5) : dy;
  }
};

struct Softplus {
  static double forward(double x, const DoubleOptions& options) {
    const double scaled = options.first * x;
    if (scaled > options.second) return x;
    return ((scaled > 0 ? scaled : 0.0) + std::log1p(std::exp(-std::fabs(scaled)))) / options.first;
  }
  static double backward(double dy, double x, const DoubleOptions& options) {
    const double scaled = options.first * x;
    return scaled > options.second ? dy : dy * Sigmoid::forward(scaled, {});
  }
};

template <typename Body>
void activation_forward(double* y, const double* x, std::int64_t count, const DoubleOptions& options) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = Body::forward(x[i], options);
}

template <typename Body>
void activation_backward(double* dx, const double* dy, const double* kept, std::int64_t count,
                         const DoubleOptions& options) {
  for (std::int64_t i = 0; i < count; ++i) dx[i] = Body::backward(dy[i], kept[i], options);
}

}  // namespace receptive::reference
