// SPDX-License-Identifier: Apache-2.0
// Contracts of the elementwise activations, and the one list of them: kernels, double-precision reference and
// instructions are made from it.
#pragma once

#include <cstdint>

namespace receptive {

// Columns: the name, under which it also stands in TypeScript and in front of _forward and _backward in
// plan/opcodes.h; the struct with its arithmetic in kernels/generic/activation.inl.h and
// reference/activations.h. Beside them: what the backward pass is given of the forward pass, and what the
// options mean.
#define RECEPTIVE_ACTIVATIONS(X)                                                                      \
  X(relu, Relu)            /* y: max(x, 0) */                                                         \
  X(relu6, Relu6)          /* y: min(max(x, 0), 6) */                                                 \
  X(tanh, Tanh)            /* y */                                                                    \
  X(sigmoid, Sigmoid)      /* y: 1 / (1 + e^-x) */                                                    \
  X(leaky_relu, LeakyRelu) /* y, or x if the slope is negative: slope x below 0. first: slope */      \
  X(elu, Elu)              /* x: alpha (e^x - 1) below 0. first: alpha */                             \
  X(gelu, Gelu)            /* x: x times the share of the normal distribution that lies below x */    \
  X(gelu_tanh, GeluTanh)   /* x: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2 */                 \
  X(silu, Silu)            /* x: x sigmoid(x) */                                                      \
  X(hardswish, Hardswish)  /* x: x min(max(x + 3, 0), 6) / 6 */                                       \
  X(softplus, Softplus)    /* x: log(1 + e^(beta x)) / beta, x where beta x > threshold. first: beta, \
                              second: threshold */

// What an activation makes of these stands in the list.
template <typename Float>
struct ActivationOptions {
  Float first, second;
};

// Outputs may be an input exactly, never partly.
struct ActivationKernel {
  void (*forward)(float* y, const float* x, std::int64_t count, const ActivationOptions<float>& options);
  // dx from dy and from what was kept of the forward pass
  void (*backward)(float* dx, const float* dy, const float* kept, std::int64_t count,
                   const ActivationOptions<float>& options);
};

struct ActivationKernels {
#define RECEPTIVE_MEMBER(name, Body) ActivationKernel name;
  RECEPTIVE_ACTIVATIONS(RECEPTIVE_MEMBER)
#undef RECEPTIVE_MEMBER
};

}  // namespace receptive
