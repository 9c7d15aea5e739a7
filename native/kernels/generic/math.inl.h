// SPDX-License-Identifier: Apache-2.0
// exp, tanh and sigmoid over the vector vocabulary. Include after a vec.h.
#pragma once

namespace receptive {
namespace {

// e^x by range reduction x = n ln 2 + r, |r| <= ln 2 / 2, and the Taylor series of e^r to r^7 (truncation
// below 1e-8 relative). Within 2 ulp for x from -87 to 88; inputs are clamped there, NaN stays NaN.
inline Vec exp(Vec x) {
  // min and max return their second operand for NaN, so x comes second.
  const Vec clamped = max(broadcast(-87.0f), min(broadcast(88.0f), x));
  const Vec n = round_nearest(mul(clamped, broadcast(1.44269504088896341f)));
  // ln 2 in two parts: the first has few bits, so that n * high is exact
  Vec r = fma(n, broadcast(-0.693359375f), clamped);
  r = fma(n, broadcast(2.12194440e-4f), r);
  Vec p = broadcast(1.0f / 5040);
  p = fma(p, r, broadcast(1.0f / 720));
  p = fma(p, r, broadcast(1.0f / 120));
  p = fma(p, r, broadcast(1.0f / 24));
  p = fma(p, r, broadcast(1.0f / 6));
  p = fma(p, r, broadcast(0.5f));
  p = fma(p, r, broadcast(1.0f));
  p = fma(p, r, broadcast(1.0f));
  return times_power_of_two(p, n);
}

inline Vec sigmoid(Vec x) {
  // From e^-|x| <= 1, which cannot overflow: 1 / (1 + e) for x >= 0, e / (1 + e) for x < 0
  const Vec e = exp(sub(zero(), abs(x)));
  const Vec top = select(less(x, zero()), e, broadcast(1.0f));
  return div(top, add(broadcast(1.0f), e));
}

inline Vec tanh(Vec x) {
  const Vec magnitude = abs(x);
  // Small |x|: the quotient below would cancel. Odd series to x^9, error below 2e-8 relative for |x| < 0.35.
  const Vec square = mul(x, x);
  Vec p = broadcast(62.0f / 2835);
  p = fma(p, square, broadcast(-17.0f / 315));
  p = fma(p, square, broadcast(2.0f / 15));
  p = fma(p, square, broadcast(-1.0f / 3));
  const Vec small = fma(mul(p, square), x, x);
  // Else (1 - e) / (1 + e) with e = e^-2|x|
  const Vec e = exp(mul(broadcast(-2.0f), magnitude));
  const Vec large = div(sub(broadcast(1.0f), e), add(broadcast(1.0f), e));
  // The sign comes last, so that -0 stays -0.
  return copy_sign(select(less(magnitude, broadcast(0.2f)), small, large), x);
}

}  // namespace
}  // namespace receptive
