// SPDX-License-Identifier: Apache-2.0
// The vector vocabulary over AVX2 and FMA: 8 floats. See kernels/avx512/vec.h for the meaning of each word.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace receptive {
namespace {

constexpr int kWidth = 8;

using Vec = __m256;
using Mask = __m256;  // all bits of a lane set or clear

inline Mask first_lanes(int count) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_castsi256_ps(_mm256_cmpgt_epi32(_mm256_set1_epi32(count), lane));
}
inline Vec zero() { return _mm256_setzero_ps(); }
inline Vec broadcast(float value) { return _mm256_set1_ps(value); }
inline Vec load(const float* from) { return _mm256_loadu_ps(from); }
inline void store(float* to, Vec value) { _mm256_storeu_ps(to, value); }
// Past the caches; `to` is aligned to a vector.
inline void stream(float* to, Vec value) { _mm256_stream_ps(to, value); }
inline Vec load_partial(const float* from, Mask lanes) {
  return _mm256_maskload_ps(from, _mm256_castps_si256(lanes));
}
inline void store_partial(float* to, Mask lanes, Vec value) {
  _mm256_maskstore_ps(to, _mm256_castps_si256(lanes), value);
}

inline Vec add(Vec a, Vec b) { return _mm256_add_ps(a, b); }
inline Vec sub(Vec a, Vec b) { return _mm256_sub_ps(a, b); }
inline Vec mul(Vec a, Vec b) { return _mm256_mul_ps(a, b); }
inline Vec div(Vec a, Vec b) { return _mm256_div_ps(a, b); }
inline Vec sqrt(Vec a) { return _mm256_sqrt_ps(a); }
inline Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
inline Vec max(Vec a, Vec b) { return _mm256_max_ps(a, b); }
inline Vec min(Vec a, Vec b) { return _mm256_min_ps(a, b); }
inline Vec abs(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
inline Vec copy_sign(Vec magnitude, Vec sign) {
  const __m256 bit = _mm256_set1_ps(-0.0f);
  return _mm256_or_ps(_mm256_andnot_ps(bit, magnitude), _mm256_and_ps(bit, sign));
}

inline Mask less(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
inline Mask greater(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_GT_OQ); }
inline Mask equal(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
inline Mask not_equal(Vec a, Vec b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
inline Mask either(Mask a, Mask b) { return _mm256_or_ps(a, b); }
inline Mask both(Mask a, Mask b) { return _mm256_and_ps(a, b); }
inline Vec select(Mask mask, Vec yes, Vec no) { return _mm256_blendv_ps(no, yes, mask); }

inline Vec round_nearest(Vec a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline Vec times_power_of_two(Vec value, Vec exponent) {
  const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(exponent), _mm256_set1_epi32(127));
  return _mm256_mul_ps(value, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)));
}
inline Vec split_exponent(Vec a, Vec* mantissa) {
  const __m256i bits = _mm256_castps_si256(a);
  const __m256i fraction = _mm256_and_si256(bits, _mm256_set1_epi32(0x007fffff));
  *mantissa = _mm256_castsi256_ps(_mm256_or_si256(fraction, _mm256_set1_epi32(0x3f800000)));
  return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(bits, 23), _mm256_set1_epi32(127)));
}

inline float reduce_add(Vec a) {
  __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
  quarter = _mm_add_ss(quarter, _mm_movehdup_ps(quarter));
  return _mm_cvtss_f32(quarter);
}
inline float reduce_max(Vec a) {
  __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  quarter = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
  quarter = _mm_max_ss(quarter, _mm_movehdup_ps(quarter));
  return _mm_cvtss_f32(quarter);
}

inline void transpose_square(Vec rows[8]) {
  __m256 fours[8];
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    const __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(rows[i], rows[i + 1]));
    const __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(rows[i], rows[i + 1]));
    const __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(rows[i + 2], rows[i + 3]));
    const __m256d high23 = _mm256_castps_pd(_mm256_unpackhi_ps(rows[i + 2], rows[i + 3]));
    fours[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
    fours[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
    fours[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
    fours[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    rows[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
    rows[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
  }
}

// Bytes move in pieces of 4, 2 and 1: AVX2 has no masked access to them.
inline __m128i load_bytes(const std::uint8_t* from, int count) {
  std::uint64_t bytes = 0;
  int at = 0;
  if (count & 4) {
    std::uint32_t piece;
    __builtin_memcpy(&piece, from, 4);
    bytes = piece;
    at = 4;
  }
  if (count & 2) {
    std::uint16_t piece;
    __builtin_memcpy(&piece, from + at, 2);
    bytes |= static_cast<std::uint64_t>(piece) << (8 * at);
    at += 2;
  }
  if (count & 1) bytes |= static_cast<std::uint64_t>(from[at]) << (8 * at);
  return _mm_cvtsi64_si128(static_cast<long long>(bytes));
}
inline std::uint64_t to_bytes(Vec value) {
  const __m256i integers = _mm256_cvtps_epi32(value);
  const __m128i shorts =
      _mm_packus_epi32(_mm256_castsi256_si128(integers), _mm256_extracti128_si256(integers, 1));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_packus_epi16(shorts, shorts)));
}

inline Vec load_integers(const std::uint8_t* from) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}
inline Vec load_integers(const std::int32_t* from) {
  return _mm256_cvtepi32_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
}
inline Vec load_integers_partial(const std::uint8_t* from, int count) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(load_bytes(from, count)));
}
inline Vec load_integers_partial(const std::int32_t* from, int count) {
  return _mm256_cvtepi32_ps(_mm256_maskload_epi32(from, _mm256_castps_si256(first_lanes(count))));
}
inline void store_integers(std::uint8_t* to, Vec value) {
  const std::uint64_t bytes = to_bytes(value);
  __builtin_memcpy(to, &bytes, 8);
}
inline void store_integers(std::int32_t* to, Vec value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_cvtps_epi32(value));
}
inline void store_integers_partial(std::uint8_t* to, int count, Vec value) {
  std::uint64_t bytes = to_bytes(value);
  if (count & 4) {
    __builtin_memcpy(to, &bytes, 4);
    bytes >>= 32;
    to += 4;
  }
  if (count & 2) {
    __builtin_memcpy(to, &bytes, 2);
    bytes >>= 16;
    to += 2;
  }
  if (count & 1) *to = static_cast<std::uint8_t>(bytes);
}
inline void store_integers_partial(std::int32_t* to, int count, Vec value) {
  _mm256_maskstore_epi32(to, _mm256_castps_si256(first_lanes(count)), _mm256_cvtps_epi32(value));
}

inline int append_nonzero(float* values, std::int32_t* places, const float* from, int count,
                          std::int32_t first) {
  int found = 0;
  for (int i = 0; i < count; ++i) {
    values[found] = from[i];
    places[found] = first + i;
    found += from[i] != 0.0f;
  }
  return found;
}

inline void transpose(Vec rows[kWidth]) {
  Vec pairs[8], fours[8];
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
    pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      fours[i + 2 * j] = _mm256_shuffle_ps(pairs[i + j], pairs[i + 2 + j], 0x44);
      fours[i + 2 * j + 1] = _mm256_shuffle_ps(pairs[i + j], pairs[i + 2 + j], 0xee);
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    rows[j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x20);
    rows[4 + j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x31);
  }
}

using Picks = __m256i;

inline Picks load_picks(const std::int32_t* from) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
}
inline Vec pick(Vec low, Vec high, Picks picks) {
  const __m256i is_high = _mm256_cmpgt_epi32(picks, _mm256_set1_epi32(kWidth - 1));
  return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low, picks), _mm256_permutevar8x32_ps(high, picks),
                          _mm256_castsi256_ps(is_high));
}

using Words = __m256i;

inline Words broadcast_words(std::uint32_t value) { return _mm256_set1_epi32(static_cast<int>(value)); }
inline Words add_words(Words a, Words b) { return _mm256_add_epi32(a, b); }
inline Words xor_words(Words a, Words b) { return _mm256_xor_si256(a, b); }
inline void multiply_wide(Words a, Words b, Words* high, Words* low) {
  constexpr int kOddLanes = 0xaa;
  const __m256i even = _mm256_mul_epu32(a, b), odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), b);
  *high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, kOddLanes);
  *low = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), kOddLanes);
}
inline Words block_numbers() { return _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7); }
inline void transpose_blocks(Words words[4]) {
  const __m256i low01 = _mm256_unpacklo_epi32(words[0], words[1]);
  const __m256i high01 = _mm256_unpackhi_epi32(words[0], words[1]);
  const __m256i low23 = _mm256_unpacklo_epi32(words[2], words[3]);
  const __m256i high23 = _mm256_unpackhi_epi32(words[2], words[3]);
  words[0] = _mm256_unpacklo_epi64(low01, low23);
  words[1] = _mm256_unpackhi_epi64(low01, low23);
  words[2] = _mm256_unpacklo_epi64(high01, high23);
  words[3] = _mm256_unpackhi_epi64(high01, high23);
}
inline Vec upper_bits(Words a) { return _mm256_cvtepi32_ps(_mm256_srli_epi32(a, 8)); }

struct Doubles {
  __m256d low, high;
};

inline Doubles broadcast_doubles(double value) { return {_mm256_set1_pd(value), _mm256_set1_pd(value)}; }
inline Doubles lane_numbers() { return {_mm256_setr_pd(0, 1, 2, 3), _mm256_setr_pd(4, 5, 6, 7)}; }
inline void store_doubles(double* to, Doubles a) {
  _mm256_storeu_pd(to, a.low);
  _mm256_storeu_pd(to + 4, a.high);
}
inline Doubles add(Doubles a, Doubles b) {
  return {_mm256_add_pd(a.low, b.low), _mm256_add_pd(a.high, b.high)};
}
inline Doubles sub(Doubles a, Doubles b) {
  return {_mm256_sub_pd(a.low, b.low), _mm256_sub_pd(a.high, b.high)};
}
inline Doubles mul(Doubles a, Doubles b) {
  return {_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
}
inline Doubles div(Doubles a, Doubles b) {
  return {_mm256_div_pd(a.low, b.low), _mm256_div_pd(a.high, b.high)};
}
inline Doubles max(Doubles a, Doubles b) {
  return {_mm256_max_pd(a.low, b.low), _mm256_max_pd(a.high, b.high)};
}
inline Doubles min(Doubles a, Doubles b) {
  return {_mm256_min_pd(a.low, b.low), _mm256_min_pd(a.high, b.high)};
}
inline Doubles floor(Doubles a) { return {_mm256_floor_pd(a.low), _mm256_floor_pd(a.high)}; }
inline Vec to_floats(Doubles a) { return _mm256_set_m128(_mm256_cvtpd_ps(a.high), _mm256_cvtpd_ps(a.low)); }
inline Doubles to_doubles(Vec a) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(a)), _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1))};
}
// There is no such conversion: the bits of 1.5 * 2^52 plus a whole number are those of the sum's last place
// on.
inline void store_integers(std::int64_t* to, Doubles a) {
  const __m256d magic = _mm256_set1_pd(0x1.8p52);
  const __m256i bias = _mm256_castpd_si256(magic);
  const __m256i low = _mm256_sub_epi64(_mm256_castpd_si256(_mm256_add_pd(a.low, magic)), bias);
  const __m256i high = _mm256_sub_epi64(_mm256_castpd_si256(_mm256_add_pd(a.high, magic)), bias);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), low);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 4), high);
}

inline __m128 load_two_pairs(const float* from, const std::int64_t* offsets) {
  const __m128d low = _mm_load_sd(reinterpret_cast<const double*>(from + offsets[0]));
  return _mm_castpd_ps(_mm_loadh_pd(low, reinterpret_cast<const double*>(from + offsets[1])));
}
inline void load_pairs(const float* from, const std::int64_t* offsets, Vec* first, Vec* second) {
  const __m256 even = _mm256_set_m128(load_two_pairs(from, offsets + 4), load_two_pairs(from, offsets));
  const __m256 odd = _mm256_set_m128(load_two_pairs(from, offsets + 6), load_two_pairs(from, offsets + 2));
  *first = _mm256_shuffle_ps(even, odd, 0x88);
  *second = _mm256_shuffle_ps(even, odd, 0xdd);
}

using Quad = __m128;

inline Quad broadcast_quad(float value) { return _mm_set1_ps(value); }
inline Quad load_quad(const float* from) { return _mm_loadu_ps(from); }
inline void store_quad(float* to, Quad value) { _mm_storeu_ps(to, value); }
inline Quad add(Quad a, Quad b) { return _mm_add_ps(a, b); }
inline Quad sub(Quad a, Quad b) { return _mm_sub_ps(a, b); }
inline Quad mul(Quad a, Quad b) { return _mm_mul_ps(a, b); }

}  // namespace
}  // namespace receptive
