// SPDX-License-Identifier: Apache-2.0
// The transforms of F(2x2, 5x5) at the points 0, +-s, +-2s, infinity with s = sqrt(1/2): those of F(4x4,
// 3x3), and so its input transform; see generic/winograd.inl.h for the matrices.
#pragma once

#include "kernels/generic/winograd_f4.inl.h"

namespace receptive {
namespace {

struct WinogradF2Taps5 {
  static constexpr int kOutputs = 2, kInputs = 6, kTaps = 5;
  static constexpr float kNear = WinogradF4::kNear, kFar = WinogradF4::kFar;  // s, 2 s

  template <typename Load>
  static inline void input(float* to, std::int64_t stride, const Load& at) {
    WinogradF4::input(to, stride, at);
  }

  // A' along one axis: the sums over all finite points, and those weighted by the points.
  static inline Vec even_output(const Vec m[6]) { return add(add(m[0], add(m[1], m[2])), add(m[3], m[4])); }
  static inline Vec odd_output(const Vec m[6]) {
    const Vec near = fma(broadcast(kNear), sub(m[1], m[2]), m[5]);
    return fma(broadcast(kFar), sub(m[3], m[4]), near);
  }

  template <typename Load, typename Store>
  static inline void output(const Load& at, const Store& put) {
    Vec even[6], odd[6];
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) {
      Vec column[6];
#pragma GCC unroll 6
      for (int i = 0; i < 6; ++i) column[i] = at(i, j);
      even[j] = even_output(column);
      odd[j] = odd_output(column);
    }
    put(0, 0, even_output(even));
    put(0, 1, odd_output(even));
    put(1, 0, even_output(odd));
    put(1, 1, odd_output(odd));
  }

  static inline void store_adjoint_row(float* to, std::int64_t stride, Vec even, Vec odd) {
    store(to, even);
    store(to + stride, fma(broadcast(kNear), odd, even));
    store(to + 2 * stride, fma(broadcast(-kNear), odd, even));
    store(to + 3 * stride, fma(broadcast(kFar), odd, even));
    store(to + 4 * stride, fma(broadcast(-kFar), odd, even));
    store(to + 5 * stride, odd);
  }

  template <typename Load>
  static inline void output_adjoint(float* to, std::int64_t stride, const Load& at) {
    constexpr float kPoints[] = {kNear, -kNear, kFar, -kFar};
    const Vec corner[2][2] = {{at(0, 0), at(0, 1)}, {at(1, 0), at(1, 1)}};
    const std::int64_t row = kInputs * stride;
    store_adjoint_row(to, stride, corner[0][0], corner[0][1]);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const Vec point = broadcast(kPoints[i]);
      store_adjoint_row(to + (i + 1) * row, stride, fma(point, corner[1][0], corner[0][0]),
                        fma(point, corner[1][1], corner[0][1]));
    }
    store_adjoint_row(to + 5 * row, stride, corner[1][0], corner[1][1]);
  }

  static inline void weight_line(const Vec g[5], Vec u[6]) {
    constexpr float kNearScale = -2.0f / 3.0f, kFarScale = 1.0f / 6.0f;
    u[0] = g[0];
    const Vec half = broadcast(0.5f), two = broadcast(2.0f);
    Vec even = mul(broadcast(kNearScale), fma(half, fma(half, g[4], g[2]), g[0]));
    Vec odd = fma(half, g[3], g[1]);
    u[1] = fma(broadcast(kNearScale * kNear), odd, even);
    u[2] = fma(broadcast(-kNearScale * kNear), odd, even);
    even = mul(broadcast(kFarScale), fma(two, fma(two, g[4], g[2]), g[0]));
    odd = fma(two, g[3], g[1]);
    u[3] = fma(broadcast(kFarScale * kFar), odd, even);
    u[4] = fma(broadcast(-kFarScale * kFar), odd, even);
    u[5] = g[4];
  }

  static inline void weight_adjoint_line(const Vec u[6], Vec g[5]) {
    constexpr float kNearScale = -2.0f / 3.0f, kFarScale = 1.0f / 6.0f;
    const Vec near = mul(broadcast(kNearScale), add(u[1], u[2]));
    const Vec far = mul(broadcast(kFarScale), add(u[3], u[4]));
    const Vec near_odd = mul(broadcast(kNearScale * kNear), sub(u[1], u[2]));
    const Vec far_odd = mul(broadcast(kFarScale * kFar), sub(u[3], u[4]));
    g[0] = add(u[0], add(near, far));
    g[1] = add(near_odd, far_odd);
    g[2] = fma(broadcast(0.5f), near, add(far, far));
    g[3] = fma(broadcast(0.5f), near_odd, add(far_odd, far_odd));
    g[4] = fma(broadcast(0.25f), near, fma(broadcast(4.0f), far, u[5]));
  }
};

}  // namespace
}  // namespace receptive
