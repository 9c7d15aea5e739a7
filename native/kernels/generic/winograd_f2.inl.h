// SPDX-License-Identifier: Apache-2.0
// The transforms of F(2x2, 3x3) at the points 0, 1, -1, infinity; see generic/winograd.inl.h for the
// matrices. A tile of 4x4 vectors stays in registers.
#pragma once

namespace receptive {
namespace {

struct WinogradF2 {
  static constexpr int kOutputs = 2, kInputs = 4, kTaps = 3;

  template <typename Load>
  static inline void input(float* to, std::int64_t stride, const Load& at) {
    Vec half[4][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      half[0][j] = sub(at(0, j), at(2, j));
      half[1][j] = add(at(1, j), at(2, j));
      half[2][j] = sub(at(2, j), at(1, j));
      half[3][j] = sub(at(3, j), at(1, j));
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i, to += 4 * stride) {
      store(to, sub(half[i][0], half[i][2]));
      store(to + stride, add(half[i][1], half[i][2]));
      store(to + 2 * stride, sub(half[i][2], half[i][1]));
      store(to + 3 * stride, sub(half[i][3], half[i][1]));
    }
  }

  template <typename Load, typename Store>
  static inline void output(const Load& at, const Store& put) {
    Vec half[2][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      half[0][j] = add(at(0, j), add(at(1, j), at(2, j)));
      half[1][j] = add(sub(at(1, j), at(2, j)), at(3, j));
    }
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      put(i, 0, add(half[i][0], add(half[i][1], half[i][2])));
      put(i, 1, add(sub(half[i][1], half[i][2]), half[i][3]));
    }
  }

  template <typename Load>
  static inline void output_adjoint(float* to, std::int64_t stride, const Load& at) {
    Vec half[4][2];
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      half[0][j] = at(0, j);
      half[1][j] = add(at(0, j), at(1, j));
      half[2][j] = sub(at(0, j), at(1, j));
      half[3][j] = at(1, j);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i, to += 4 * stride) {
      store(to, half[i][0]);
      store(to + stride, add(half[i][0], half[i][1]));
      store(to + 2 * stride, sub(half[i][0], half[i][1]));
      store(to + 3 * stride, half[i][1]);
    }
  }

  static inline void weight_line(const Vec g[3], Vec u[4]) {
    const Vec half = broadcast(0.5f), even = add(g[0], g[2]);
    u[0] = g[0];
    u[1] = mul(half, add(even, g[1]));
    u[2] = mul(half, sub(even, g[1]));
    u[3] = g[2];
  }

  static inline void weight_adjoint_line(const Vec u[4], Vec g[3]) {
    const Vec half = broadcast(0.5f), even = mul(half, add(u[1], u[2]));
    g[0] = add(u[0], even);
    g[1] = mul(half, sub(u[1], u[2]));
    g[2] = add(even, u[3]);
  }
};

}  // namespace
}  // namespace receptive
