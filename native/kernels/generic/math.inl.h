// SPDX-License-Identifier: Apache-2.0
// Exponentials, logarithms and what follows from them over the vector vocabulary: within a few units in the
// last place, NaN stays NaN. Include after a vec.h.
#pragma once

namespace receptive {
namespace {

// x = n ln 2 + r, |r| <= ln 2 / 2, and p with e^r = 1 + r + p r^2: the Taylor series of e^r to r^7
// (truncation below 1e-8 relative). x is clamped to where 2^n is a normal number: -87 to 88.
struct ReducedExponent {
  Vec n, r, p;

  explicit inline ReducedExponent(Vec x) {
    // min and max return their second operand for NaN, so x comes second.
    const Vec clamped = max(broadcast(-87.0f), min(broadcast(88.0f), x));
    n = round_nearest(mul(clamped, broadcast(1.44269504088896341f)));
    // ln 2 in two parts: the first has few bits, so that n * high is exact
    r = fma(n, broadcast(-0.693359375f), clamped);
    r = fma(n, broadcast(2.12194440e-4f), r);
    p = broadcast(1.0f / 5040);
    p = fma(p, r, broadcast(1.0f / 720));
    p = fma(p, r, broadcast(1.0f / 120));
    p = fma(p, r, broadcast(1.0f / 24));
    p = fma(p, r, broadcast(1.0f / 6));
    p = fma(p, r, broadcast(0.5f));
  }
};

// e^x within 2 ulp for x from -87 to 88; 0 below, where float32 has hardly a normal number left. Above 88 it
// stays at e^88: see exp_or_infinity.
inline Vec exp(Vec x) {
  const ReducedExponent reduced(x);
  Vec p = fma(reduced.p, reduced.r, broadcast(1.0f));
  p = fma(p, reduced.r, broadcast(1.0f));
  return select(less(x, broadcast(-87.0f)), zero(), times_power_of_two(p, reduced.n));
}

// The same for every x: infinity above 88, though float32 itself ends at 88.72.
inline Vec exp_or_infinity(Vec x) {
  return select(greater(x, broadcast(88.0f)), broadcast(__builtin_inff()), exp(x));
}

// e^x - 1 for x up to 88 without cancellation near 0: 2^n (e^r - 1) + (2^n - 1)
inline Vec expm1(Vec x) {
  const ReducedExponent reduced(x);
  const Vec power = times_power_of_two(broadcast(1.0f), reduced.n);
  const Vec fraction = fma(mul(reduced.p, reduced.r), reduced.r, reduced.r);
  return fma(power, fraction, sub(power, broadcast(1.0f)));
}

// log((1 + s) / (1 - s)) = 2 atanh(s) for |s| <= 3 - sqrt(8): both logarithms below. A minimax polynomial in
// s^2 for the terms after the first, off by 1.7e-9 of their sum.
inline Vec twice_atanh(Vec s) {
  const Vec square = mul(s, s);
  Vec p = broadcast(0.2333344115f);
  p = fma(p, square, broadcast(0.285507075f));
  p = fma(p, square, broadcast(0.4000012289f));
  p = fma(p, square, broadcast(0.6666666655f));
  return fma(mul(p, square), s, add(s, s));
}

// The natural logarithm: -Infinity for 0 and denormals, infinity for infinity, NaN for what is negative.
inline Vec log(Vec x) {
  Vec mantissa;
  Vec exponent = split_exponent(x, &mantissa);
  const Mask upper = greater(mantissa, broadcast(1.41421356f));  // mantissa from sqrt(1/2) to sqrt(2)
  mantissa = select(upper, mul(mantissa, broadcast(0.5f)), mantissa);
  exponent = select(upper, add(exponent, broadcast(1.0f)), exponent);
  const Vec s = div(sub(mantissa, broadcast(1.0f)), add(mantissa, broadcast(1.0f)));
  const Vec infinity = broadcast(__builtin_inff());
  const Vec outside = select(equal(x, zero()), sub(zero(), infinity), broadcast(__builtin_nanf("")));
  const Vec inside = fma(exponent, broadcast(0.693147181f), twice_atanh(s));
  return select(greater(x, zero()), select(equal(x, infinity), infinity, inside), outside);
}

// log(1 + u) for u from 0 to 1, without cancellation near 0
inline Vec log1p_of_fraction(Vec u) {
  // Where 1 + u exceeds sqrt(2), of half of it
  const Mask upper = greater(u, broadcast(0.41421356f));
  const Vec top = select(upper, sub(u, broadcast(1.0f)), u);
  const Vec s = div(top, add(u, select(upper, broadcast(3.0f), broadcast(2.0f))));
  return add(twice_atanh(s), select(upper, broadcast(0.693147181f), zero()));
}

// The logistic function at x: 1 / (1 + e^-x).
struct Logistic {
  Vec share;
  Vec slope;  // share * (1 - share), which would cancel

  explicit inline Logistic(Vec x) {
    // From e^-|x| <= 1, which cannot overflow: 1 / (1 + e) for x >= 0, e / (1 + e) for x < 0
    const Vec e = exp(sub(zero(), abs(x)));
    const Vec whole = add(broadcast(1.0f), e);
    share = div(select(less(x, zero()), e, broadcast(1.0f)), whole);
    slope = div(e, mul(whole, whole));
  }
};

inline Vec sigmoid(Vec x) { return Logistic(x).share; }

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

// The standard normal distribution at x.
struct Normal {
  Vec density;  // e^(-x^2/2) / sqrt(2 pi)
  Vec below;    // the share of it below x: (1 + erf(x / sqrt(2))) / 2

  explicit inline Normal(Vec x) {
    // Beyond 13.2 both tails are 0 in float32, and the square stays finite.
    const Vec distance = min(broadcast(14.0f), abs(x));
    // e^(-x^2/2), with what rounding takes from the square
    const Vec square = mul(distance, distance);
    const Vec rest = fma(distance, distance, sub(zero(), square));
    const Vec minus_half = broadcast(-0.5f);
    Vec power = exp(mul(square, minus_half));
    power = fma(power, mul(rest, minus_half), power);
    density = mul(power, broadcast(0.398942280f));
    // The share beyond the distance is that power times a smooth function of u = 1 / (1 + 0.3125 distance):
    // minimax of degree 9 up to 13.2, off by 2.3e-8 of its value, so that small shares keep their digits.
    const Vec u = div(broadcast(1.0f), fma(distance, broadcast(0.3125f), broadcast(1.0f)));
    Vec p = broadcast(-0.01677027319f);
    p = fma(p, u, broadcast(0.1181410435f));
    p = fma(p, u, broadcast(-0.3108880741f));
    p = fma(p, u, broadcast(0.3476648225f));
    p = fma(p, u, broadcast(-0.155496488f));
    p = fma(p, u, broadcast(0.1753071952f));
    p = fma(p, u, broadcast(0.08914673267f));
    p = fma(p, u, broadcast(0.1285826907f));
    p = fma(p, u, broadcast(0.1242970312f));
    p = fma(p, u, broadcast(1.533076421e-5f));
    const Vec tail = mul(power, p);
    below = select(less(x, zero()), tail, sub(broadcast(1.0f), tail));
  }
};

}  // namespace
}  // namespace receptive
