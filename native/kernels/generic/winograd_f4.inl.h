// SPDX-License-Identifier: Apache-2.0
// The transforms of F(4x4, 3x3) at the points 0, +-s, +-2s, infinity with s = sqrt(1/2); see
// generic/winograd.inl.h for the matrices.
//
// A tile of 6x6 vectors does not fit into 32 registers. So a transform takes the rows of its result one or
// two at a time: rows of opposite points share the sums over even and odd inputs, nothing is computed twice,
// and what is in flight is two rows of 6. Inputs are read 60 to 84 times instead of 36, from the nearest
// cache, which costs less than storing what does not fit.
#pragma once

namespace receptive {
namespace {

struct WinogradF4 {
  static constexpr int kOutputs = 4, kInputs = 6, kTaps = 3;
  static constexpr float kNear = 0.70710678118654752f;  // s
  static constexpr float kFar = 1.41421356237309505f;   // 2 s

  // Row `row` of the frequencies: B' along the columns.
  static inline void store_input_row(float* to, std::int64_t stride, int row, const Vec d[6]) {
    to += row * kInputs * stride;
    store(to, fma(broadcast(-2.5f), d[2], add(d[0], d[4])));
    Vec even = fma(broadcast(-2.0f), d[2], d[4]), odd = fma(broadcast(-2.0f), d[1], d[3]);
    store(to + stride, fma(broadcast(kNear), odd, even));
    store(to + 2 * stride, fma(broadcast(-kNear), odd, even));
    even = fma(broadcast(-0.5f), d[2], d[4]), odd = fma(broadcast(-0.5f), d[1], d[3]);
    store(to + 3 * stride, fma(broadcast(kFar), odd, even));
    store(to + 4 * stride, fma(broadcast(-kFar), odd, even));
    store(to + 5 * stride, fma(broadcast(-2.5f), d[3], add(d[1], d[5])));
  }

  // Rows 2 n - 1 and 2 n: the points +-point, where the other pair's square is `square`.
  template <typename Load>
  static inline void input_rows(float* to, std::int64_t stride, int row, float point, float square,
                                const Load& at) {
    Vec plus[6], minus[6];
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) {
      const Vec even = fma(broadcast(-square), at(2, j), at(4, j));
      const Vec odd = fma(broadcast(-square), at(1, j), at(3, j));
      plus[j] = fma(broadcast(point), odd, even);
      minus[j] = fma(broadcast(-point), odd, even);
    }
    store_input_row(to, stride, row, plus);
    store_input_row(to, stride, row + 1, minus);
  }

  template <typename Load>
  static inline void input(float* to, std::int64_t stride, const Load& at) {
    Vec line[6];
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) line[j] = fma(broadcast(-2.5f), at(2, j), add(at(0, j), at(4, j)));
    store_input_row(to, stride, 0, line);
    input_rows(to, stride, 1, kNear, 2.0f, at);
    input_rows(to, stride, 3, kFar, 0.5f, at);
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) line[j] = fma(broadcast(-2.5f), at(3, j), add(at(1, j), at(5, j)));
    store_input_row(to, stride, 5, line);
  }

  // Row `row` of the outputs: A' along the columns.
  template <typename Store>
  static inline void store_output_row(const Vec m[6], int row, const Store& put) {
    const Vec near = add(m[1], m[2]), far = add(m[3], m[4]);
    put(row, 0, add(add(m[0], near), far));
    put(row, 2, fma(broadcast(0.5f), near, add(far, far)));
    const Vec near_odd = mul(broadcast(kNear), sub(m[1], m[2]));
    const Vec far_odd = mul(broadcast(kFar), sub(m[3], m[4]));
    put(row, 1, add(near_odd, far_odd));
    put(row, 3, fma(broadcast(0.5f), near_odd, fma(broadcast(2.0f), far_odd, m[5])));
  }

  template <typename Load, typename Store>
  static inline void output(const Load& at, const Store& put) {
    Vec low[6], high[6];
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) {
      const Vec near = add(at(1, j), at(2, j)), far = add(at(3, j), at(4, j));
      low[j] = add(add(at(0, j), near), far);
      high[j] = fma(broadcast(0.5f), near, add(far, far));
    }
    store_output_row(low, 0, put);
    store_output_row(high, 2, put);
#pragma GCC unroll 6
    for (int j = 0; j < 6; ++j) {
      const Vec near = mul(broadcast(kNear), sub(at(1, j), at(2, j)));
      const Vec far = mul(broadcast(kFar), sub(at(3, j), at(4, j)));
      low[j] = add(near, far);
      high[j] = fma(broadcast(0.5f), near, fma(broadcast(2.0f), far, at(5, j)));
    }
    store_output_row(low, 1, put);
    store_output_row(high, 3, put);
  }

  static inline void store_adjoint_row(float* to, std::int64_t stride, int row, const Vec y[4]) {
    to += row * kInputs * stride;
    store(to, y[0]);
    Vec even = fma(broadcast(0.5f), y[2], y[0]), odd = fma(broadcast(0.5f), y[3], y[1]);
    store(to + stride, fma(broadcast(kNear), odd, even));
    store(to + 2 * stride, fma(broadcast(-kNear), odd, even));
    even = fma(broadcast(2.0f), y[2], y[0]), odd = fma(broadcast(2.0f), y[3], y[1]);
    store(to + 3 * stride, fma(broadcast(kFar), odd, even));
    store(to + 4 * stride, fma(broadcast(-kFar), odd, even));
    store(to + 5 * stride, y[3]);
  }

  template <typename Load>
  static inline void adjoint_rows(float* to, std::int64_t stride, int row, float point, float square,
                                  const Load& at) {
    Vec plus[4], minus[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const Vec even = fma(broadcast(square), at(2, j), at(0, j));
      const Vec odd = fma(broadcast(square), at(3, j), at(1, j));
      plus[j] = fma(broadcast(point), odd, even);
      minus[j] = fma(broadcast(-point), odd, even);
    }
    store_adjoint_row(to, stride, row, plus);
    store_adjoint_row(to, stride, row + 1, minus);
  }

  template <typename Load>
  static inline void output_adjoint(float* to, std::int64_t stride, const Load& at) {
    Vec line[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) line[j] = at(0, j);
    store_adjoint_row(to, stride, 0, line);
    adjoint_rows(to, stride, 1, kNear, 0.5f, at);
    adjoint_rows(to, stride, 3, kFar, 2.0f, at);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) line[j] = at(3, j);
    store_adjoint_row(to, stride, 5, line);
  }

  static inline void weight_line(const Vec g[3], Vec u[6]) {
    constexpr float kNearScale = -2.0f / 3.0f, kFarScale = 1.0f / 6.0f;
    u[0] = g[0];
    Vec even = mul(broadcast(kNearScale), fma(broadcast(0.5f), g[2], g[0]));
    u[1] = fma(broadcast(kNearScale * kNear), g[1], even);
    u[2] = fma(broadcast(-kNearScale * kNear), g[1], even);
    even = mul(broadcast(kFarScale), fma(broadcast(2.0f), g[2], g[0]));
    u[3] = fma(broadcast(kFarScale * kFar), g[1], even);
    u[4] = fma(broadcast(-kFarScale * kFar), g[1], even);
    u[5] = g[2];
  }

  static inline void weight_adjoint_line(const Vec u[6], Vec g[3]) {
    constexpr float kNearScale = -2.0f / 3.0f, kFarScale = 1.0f / 6.0f;
    const Vec near = mul(broadcast(kNearScale), add(u[1], u[2]));
    const Vec far = mul(broadcast(kFarScale), add(u[3], u[4]));
    g[0] = add(u[0], add(near, far));
    g[1] = fma(broadcast(kNearScale * kNear), sub(u[1], u[2]),
               mul(broadcast(kFarScale * kFar), sub(u[3], u[4])));
    g[2] = fma(broadcast(0.5f), near, fma(broadcast(2.0f), far, u[5]));
  }
};

}  // namespace
}  // namespace receptive
