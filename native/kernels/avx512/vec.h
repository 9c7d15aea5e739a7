// SPDX-License-Identifier: Apache-2.0
// The vector vocabulary over AVX-512: 16 floats. Generic kernels are written once over these words.
// Everything is in an anonymous namespace and free of std templates, so that no copy compiled for this ISA
// can be linked elsewhere.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace receptive {
namespace {

constexpr int kWidth = 16;

using Vec = __m512;
using Mask = __mmask16;

inline Mask first_lanes(int count) { return static_cast<Mask>((1u << count) - 1u); }  // 0 to 16
inline Vec zero() { return _mm512_setzero_ps(); }
inline Vec broadcast(float value) { return _mm512_set1_ps(value); }
inline Vec load(const float* from) { return _mm512_loadu_ps(from); }
inline void store(float* to, Vec value) { _mm512_storeu_ps(to, value); }
// Lanes beyond `lanes` are not touched in memory and read as 0.
inline Vec load_partial(const float* from, Mask lanes) { return _mm512_maskz_loadu_ps(lanes, from); }
inline void store_partial(float* to, Mask lanes, Vec value) { _mm512_mask_storeu_ps(to, lanes, value); }

inline Vec add(Vec a, Vec b) { return _mm512_add_ps(a, b); }
inline Vec sub(Vec a, Vec b) { return _mm512_sub_ps(a, b); }
inline Vec mul(Vec a, Vec b) { return _mm512_mul_ps(a, b); }
inline Vec div(Vec a, Vec b) { return _mm512_div_ps(a, b); }
inline Vec sqrt(Vec a) { return _mm512_sqrt_ps(a); }
inline Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }  // a * b + c
// The larger; b if either is NaN (so a NaN in b is kept).
inline Vec max(Vec a, Vec b) { return _mm512_max_ps(a, b); }
inline Vec min(Vec a, Vec b) { return _mm512_min_ps(a, b); }
inline Vec abs(Vec a) { return _mm512_abs_ps(a); }
inline Vec copy_sign(Vec magnitude, Vec sign) {
  const __m512 bit = _mm512_set1_ps(-0.0f);
  return _mm512_or_ps(_mm512_andnot_ps(bit, magnitude), _mm512_and_ps(bit, sign));
}

// Comparisons are false for NaN, but for not_equal.
inline Mask less(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
inline Mask greater(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
inline Mask equal(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
inline Mask not_equal(Vec a, Vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
inline Mask either(Mask a, Mask b) { return static_cast<Mask>(a | b); }
inline Mask both(Mask a, Mask b) { return static_cast<Mask>(a & b); }
inline Vec select(Mask mask, Vec yes, Vec no) { return _mm512_mask_blend_ps(mask, no, yes); }

inline Vec round_nearest(Vec a) {
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// value * 2^exponent for an integral exponent from -126 to 127
inline Vec times_power_of_two(Vec value, Vec exponent) { return _mm512_scalef_ps(value, exponent); }

// Sum of the lanes, in the tree (((0+8)+(4+12))+...): the same on every call.
inline float reduce_add(Vec a) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  quarter = _mm_add_ss(quarter, _mm_movehdup_ps(quarter));
  return _mm_cvtss_f32(quarter);
}
inline float reduce_max(Vec a) { return _mm512_reduce_max_ps(a); }

}  // namespace
}  // namespace receptive
