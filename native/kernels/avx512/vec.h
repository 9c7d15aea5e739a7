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
// Past the caches; `to` is aligned to a vector.
inline void stream(float* to, Vec value) { _mm512_stream_ps(to, value); }
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
// The exponent of a normal number above 0, and its mantissa from 1 to 2: a = mantissa * 2^exponent
inline Vec split_exponent(Vec a, Vec* mantissa) {
  *mantissa = _mm512_getmant_ps(a, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src);
  return _mm512_getexp_ps(a);
}

// Sum of the lanes, in the tree (((0+8)+(4+12))+...): the same on every call.
inline float reduce_add(Vec a) {
  const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  quarter = _mm_add_ss(quarter, _mm_movehdup_ps(quarter));
  return _mm_cvtss_f32(quarter);
}
inline float reduce_max(Vec a) { return _mm512_reduce_max_ps(a); }

// rows[i] lane j becomes rows[j] lane i: pairs, fours, then quarters of vectors.
inline void transpose_square(Vec rows[16]) {
  __m512 fours[16];
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    const __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[i], rows[i + 1]));
    const __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[i], rows[i + 1]));
    const __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[i + 2], rows[i + 3]));
    const __m512d high23 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[i + 2], rows[i + 3]));
    fours[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
    fours[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
    fours[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
    fours[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const __m512 even04 = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0x88);
    const __m512 odd04 = _mm512_shuffle_f32x4(fours[i], fours[i + 4], 0xdd);
    const __m512 even8c = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0x88);
    const __m512 odd8c = _mm512_shuffle_f32x4(fours[i + 8], fours[i + 12], 0xdd);
    rows[i] = _mm512_shuffle_f32x4(even04, even8c, 0x88);
    rows[i + 4] = _mm512_shuffle_f32x4(odd04, odd8c, 0x88);
    rows[i + 8] = _mm512_shuffle_f32x4(even04, even8c, 0xdd);
    rows[i + 12] = _mm512_shuffle_f32x4(odd04, odd8c, 0xdd);
  }
}

// Whole numbers in memory, floats in lanes: exact up to 2^24 in both directions. Partial: the first `count`
// lanes.
inline Vec load_integers(const std::uint8_t* from) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
}
inline Vec load_integers(const std::int32_t* from) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(from)); }
inline Vec load_integers_partial(const std::uint8_t* from, int count) {
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(first_lanes(count), from)));
}
inline Vec load_integers_partial(const std::int32_t* from, int count) {
  return _mm512_cvtepi32_ps(_mm512_maskz_loadu_epi32(first_lanes(count), from));
}
inline void store_integers(std::uint8_t* to, Vec value) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value)));
}
inline void store_integers(std::int32_t* to, Vec value) {
  _mm512_storeu_si512(to, _mm512_cvtps_epi32(value));
}
inline void store_integers_partial(std::uint8_t* to, int count, Vec value) {
  _mm_mask_storeu_epi8(to, first_lanes(count), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(value)));
}
inline void store_integers_partial(std::int32_t* to, int count, Vec value) {
  _mm512_mask_storeu_epi32(to, first_lanes(count), _mm512_cvtps_epi32(value));
}

// Appends the elements that are not zero (NaN is not), in order, and their places, counted from `first`;
// returns how many. Whole vectors are written.
inline int append_nonzero(float* values, std::int32_t* places, const float* from, int count,
                          std::int32_t first) {
  const __m512 value = _mm512_maskz_loadu_ps(first_lanes(count), from);
  const __mmask16 mask = _mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_NEQ_UQ);
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  // Compressed in registers: straight to memory is ten times slower on a Zen 4.
  _mm512_storeu_ps(values, _mm512_maskz_compress_ps(mask, value));
  _mm512_storeu_si512(places,
                      _mm512_maskz_compress_epi32(mask, _mm512_add_epi32(lane, _mm512_set1_epi32(first))));
  return __builtin_popcount(mask);
}

// Element j of rows[i] and element i of rows[j] change places.
inline void transpose(Vec rows[kWidth]) {
  Vec pairs[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
  }
  // fours[4 * i + j]: of rows 4 * i to 4 * i + 3, the columns that are j modulo 4
  Vec fours[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      const __m512d low = _mm512_castps_pd(pairs[i + j]), high = _mm512_castps_pd(pairs[i + 2 + j]);
      fours[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
      fours[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const Vec even01 = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0x88);
    const Vec odd01 = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0xdd);
    const Vec even23 = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0x88);
    const Vec odd23 = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0xdd);
    rows[j] = _mm512_shuffle_f32x4(even01, even23, 0x88);
    rows[4 + j] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
    rows[8 + j] = _mm512_shuffle_f32x4(even01, even23, 0xdd);
    rows[12 + j] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
  }
}

// Which of the 2 * kWidth elements of two vectors each lane of a third is.
using Picks = __m512i;

inline Picks load_picks(const std::int32_t* from) { return _mm512_loadu_si512(from); }
inline Vec pick(Vec low, Vec high, Picks picks) { return _mm512_permutex2var_ps(low, picks, high); }

// Random words: kWidth unsigned 32-bit integers.
using Words = __m512i;

inline Words broadcast_words(std::uint32_t value) { return _mm512_set1_epi32(static_cast<int>(value)); }
inline Words add_words(Words a, Words b) { return _mm512_add_epi32(a, b); }
inline Words xor_words(Words a, Words b) { return _mm512_xor_si512(a, b); }
// Both halves of the 64-bit products a * b; b must hold the same word in every lane.
inline void multiply_wide(Words a, Words b, Words* high, Words* low) {
  constexpr __mmask16 kOddLanes = 0xaaaa;
  const __m512i even = _mm512_mul_epu32(a, b), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), b);
  *high = _mm512_mask_blend_epi32(kOddLanes, _mm512_srli_epi64(even, 32), odd);
  *low = _mm512_mask_blend_epi32(kOddLanes, even, _mm512_slli_epi64(odd, 32));
}
// Which block of four words each lane draws, so that transpose_blocks() yields the blocks one after another.
inline Words block_numbers() {
  return _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
}
// From word w of every lane's block in words[w] to 4 * kWidth words in the order of the blocks.
inline void transpose_blocks(Words words[4]) {
  const __m512i low01 = _mm512_unpacklo_epi32(words[0], words[1]);
  const __m512i high01 = _mm512_unpackhi_epi32(words[0], words[1]);
  const __m512i low23 = _mm512_unpacklo_epi32(words[2], words[3]);
  const __m512i high23 = _mm512_unpackhi_epi32(words[2], words[3]);
  words[0] = _mm512_unpacklo_epi64(low01, low23);
  words[1] = _mm512_unpackhi_epi64(low01, low23);
  words[2] = _mm512_unpacklo_epi64(high01, high23);
  words[3] = _mm512_unpackhi_epi64(high01, high23);
}
// The upper 24 bits of each word as a whole number.
inline Vec upper_bits(Words a) { return _mm512_cvtepi32_ps(_mm512_srli_epi32(a, 8)); }

// kWidth doubles.
struct Doubles {
  __m512d low, high;
};

inline Doubles broadcast_doubles(double value) { return {_mm512_set1_pd(value), _mm512_set1_pd(value)}; }
inline Doubles lane_numbers() {
  return {_mm512_setr_pd(0, 1, 2, 3, 4, 5, 6, 7), _mm512_setr_pd(8, 9, 10, 11, 12, 13, 14, 15)};
}
inline void store_doubles(double* to, Doubles a) {
  _mm512_storeu_pd(to, a.low);
  _mm512_storeu_pd(to + 8, a.high);
}
inline Doubles add(Doubles a, Doubles b) {
  return {_mm512_add_pd(a.low, b.low), _mm512_add_pd(a.high, b.high)};
}
inline Doubles sub(Doubles a, Doubles b) {
  return {_mm512_sub_pd(a.low, b.low), _mm512_sub_pd(a.high, b.high)};
}
inline Doubles mul(Doubles a, Doubles b) {
  return {_mm512_mul_pd(a.low, b.low), _mm512_mul_pd(a.high, b.high)};
}
inline Doubles div(Doubles a, Doubles b) {
  return {_mm512_div_pd(a.low, b.low), _mm512_div_pd(a.high, b.high)};
}
inline Doubles max(Doubles a, Doubles b) {
  return {_mm512_max_pd(a.low, b.low), _mm512_max_pd(a.high, b.high)};
}
inline Doubles min(Doubles a, Doubles b) {
  return {_mm512_min_pd(a.low, b.low), _mm512_min_pd(a.high, b.high)};
}
inline Doubles floor(Doubles a) {
  constexpr int kDown = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
  return {_mm512_roundscale_pd(a.low, kDown), _mm512_roundscale_pd(a.high, kDown)};
}
inline Vec to_floats(Doubles a) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(a.low)), _mm512_cvtpd_ps(a.high), 1);
}
inline Doubles to_doubles(Vec a) {
  return {_mm512_cvtps_pd(_mm512_castps512_ps256(a)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1))};
}
// Whole numbers below 2^51.
inline void store_integers(std::int64_t* to, Doubles a) {
  _mm512_storeu_si512(to, _mm512_cvtpd_epi64(a.low));
  _mm512_storeu_si512(to + 8, _mm512_cvtpd_epi64(a.high));
}

// Two floats that lie at the offset, and two at the next one.
inline __m128 load_two_pairs(const float* from, const std::int64_t* offsets) {
  const __m128d low = _mm_load_sd(reinterpret_cast<const double*>(from + offsets[0]));
  return _mm_castpd_ps(_mm_loadh_pd(low, reinterpret_cast<const double*>(from + offsets[1])));
}
// first[i] = from[offsets[i]], second[i] the float behind it
inline void load_pairs(const float* from, const std::int64_t* offsets, Vec* first, Vec* second) {
  __m512 fours[2];
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    __m512 all = _mm512_castps128_ps512(load_two_pairs(from, offsets + 2 * i));
    all = _mm512_insertf32x4(all, load_two_pairs(from, offsets + 2 * i + 4), 1);
    all = _mm512_insertf32x4(all, load_two_pairs(from, offsets + 2 * i + 8), 2);
    fours[i] = _mm512_insertf32x4(all, load_two_pairs(from, offsets + 2 * i + 12), 3);
  }
  *first = _mm512_shuffle_ps(fours[0], fours[1], 0x88);
  *second = _mm512_shuffle_ps(fours[0], fours[1], 0xdd);
}

// Four floats, whatever the width of a vector: the channels of a pixel.
using Quad = __m128;

inline Quad broadcast_quad(float value) { return _mm_set1_ps(value); }
inline Quad load_quad(const float* from) { return _mm_loadu_ps(from); }
inline void store_quad(float* to, Quad value) { _mm_storeu_ps(to, value); }
inline Quad add(Quad a, Quad b) { return _mm_add_ps(a, b); }
inline Quad sub(Quad a, Quad b) { return _mm_sub_ps(a, b); }
inline Quad mul(Quad a, Quad b) { return _mm_mul_ps(a, b); }

}  // namespace
}  // namespace receptive
