// SPDX-License-Identifier: Apache-2.0
// Activations over the vector vocabulary. Include after a vec.h.
#pragma once

#include "kernels/activation_kernels.h"
#include "kernels/generic/elementwise.inl.h"
#include "kernels/generic/math.inl.h"

namespace receptive {
namespace {

using VectorOptions = ActivationOptions<float>;

// One struct an activation: forward(x) is y; backward(dy, kept) is dx, from y or x as the list in
// kernels/activation_kernels.h says.

struct Relu {
  explicit inline Relu(const VectorOptions&) {}
  // max returns its second operand for NaN, so NaN stays NaN
  inline Vec forward(Vec x) const { return max(zero(), x); }
  inline Vec backward(Vec dy, Vec y) const { return select(greater(y, zero()), dy, zero()); }
};

struct Relu6 {
  explicit inline Relu6(const VectorOptions&) {}
  // min, too, returns its second operand for NaN
  inline Vec forward(Vec x) const { return min(broadcast(6.0f), max(zero(), x)); }
  inline Vec backward(Vec dy, Vec y) const {
    return select(less(y, broadcast(6.0f)), select(greater(y, zero()), dy, zero()), zero());
  }
};

struct Tanh {
  explicit inline Tanh(const VectorOptions&) {}
  inline Vec forward(Vec x) const { return tanh(x); }
  inline Vec backward(Vec dy, Vec y) const { return mul(dy, sub(broadcast(1.0f), mul(y, y))); }
};

struct Sigmoid {
  explicit inline Sigmoid(const VectorOptions&) {}
  inline Vec forward(Vec x) const { return sigmoid(x); }
  inline Vec backward(Vec dy, Vec y) const { return mul(dy, mul(y, sub(broadcast(1.0f), y))); }
};

struct LeakyRelu {
  Vec slope;
  explicit inline LeakyRelu(const VectorOptions& options) : slope(broadcast(options.first)) {}
  inline Vec forward(Vec x) const { return select(greater(x, zero()), x, mul(slope, x)); }
  inline Vec backward(Vec dy, Vec kept) const { return select(greater(kept, zero()), dy, mul(slope, dy)); }
};

struct Elu {
  Vec alpha;
  explicit inline Elu(const VectorOptions& options) : alpha(broadcast(options.first)) {}
  inline Vec forward(Vec x) const { return select(less(x, zero()), mul(alpha, expm1(x)), x); }
  inline Vec backward(Vec dy, Vec x) const {
    return select(greater(x, zero()), dy, mul(dy, mul(alpha, exp(x))));
  }
};

struct Gelu {
  explicit inline Gelu(const VectorOptions&) {}
  inline Vec forward(Vec x) const { return mul(x, Normal(x).below); }
  inline Vec backward(Vec dy, Vec x) const {
    const Normal normal(x);
    return mul(dy, fma(x, normal.density, normal.below));
  }
};

// (1 + tanh(a)) / 2 is sigmoid(2 a), which keeps the digits of what is left far below 0.
struct GeluTanh {
  explicit inline GeluTanh(const VectorOptions&) {}
  static constexpr float kScale = 1.59576912f, kCubic = 0.044715f;  // 2 sqrt(2 / pi)
  static inline Vec inner(Vec x) {
    return mul(fma(mul(mul(x, x), broadcast(kCubic)), x, x), broadcast(kScale));
  }
  inline Vec forward(Vec x) const { return mul(x, sigmoid(inner(x))); }
  inline Vec backward(Vec dy, Vec x) const {
    const Logistic logistic(inner(x));
    // Beyond 14 the logistic function is flat; what its slope of 0 is multiplied by must stay finite.
    const Vec near = min(broadcast(14.0f), abs(x));
    const Vec inner_slope = fma(mul(near, near), broadcast(3 * kScale * kCubic), broadcast(kScale));
    return mul(dy, fma(mul(x, logistic.slope), inner_slope, logistic.share));
  }
};

struct Silu {
  explicit inline Silu(const VectorOptions&) {}
  inline Vec forward(Vec x) const { return mul(x, sigmoid(x)); }
  inline Vec backward(Vec dy, Vec x) const {
    const Logistic logistic(x);
    return mul(dy, fma(x, logistic.slope, logistic.share));
  }
};

struct Hardswish {
  explicit inline Hardswish(const VectorOptions&) {}
  inline Vec forward(Vec x) const {
    const Vec clipped = min(broadcast(6.0f), max(zero(), add(x, broadcast(3.0f))));
    return mul(x, mul(clipped, broadcast(1.0f / 6)));  // in this order nothing overflows
  }
  inline Vec backward(Vec dy, Vec x) const {
    const Vec slope = fma(x, broadcast(1.0f / 3), broadcast(0.5f));
    const Vec below = select(greater(x, broadcast(-3.0f)), mul(dy, slope), zero());
    return select(less(x, broadcast(3.0f)), below, dy);
  }
};

struct Softplus {
  Vec beta, inverse, threshold;
  explicit inline Softplus(const VectorOptions& options)
      : beta(broadcast(options.first)),
        inverse(broadcast(1.0f / options.first)),
        threshold(broadcast(options.second)) {}
  inline Vec forward(Vec x) const {
    const Vec scaled = mul(beta, x);
    // From e^-|z| <= 1, which cannot overflow: log(1 + e^z) = max(z, 0) + log(1 + e^-|z|)
    const Vec fraction = log1p_of_fraction(exp(sub(zero(), abs(scaled))));
    const Vec curved = mul(add(max(zero(), scaled), fraction), inverse);
    return select(greater(scaled, threshold), x, curved);
  }
  inline Vec backward(Vec dy, Vec x) const {
    const Vec scaled = mul(beta, x);
    return select(greater(scaled, threshold), dy, mul(dy, sigmoid(scaled)));
  }
};

template <typename Body>
struct ForwardBody {
  Body body;
  inline Vec apply(Vec x, Vec) const { return body.forward(x); }
};

template <typename Body>
struct BackwardBody {
  Body body;
  inline Vec apply(Vec dy, Vec kept) const { return body.backward(dy, kept); }
};

template <typename Body>
void activation_forward(float* y, const float* x, std::int64_t count, const VectorOptions& options) {
  for_each_vector(y, x, x, count, ForwardBody<Body>{Body(options)});
}

template <typename Body>
void activation_backward(float* dx, const float* dy, const float* kept, std::int64_t count,
                         const VectorOptions& options) {
  for_each_vector(dx, dy, kept, count, BackwardBody<Body>{Body(options)});
}

#define RECEPTIVE_KERNEL(name, Body) {activation_forward<Body>, activation_backward<Body>},
constexpr ActivationKernels kActivationKernels = {RECEPTIVE_ACTIVATIONS(RECEPTIVE_KERNEL)};
#undef RECEPTIVE_KERNEL

}  // namespace
}  // namespace receptive
