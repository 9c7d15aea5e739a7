// SPDX-License-Identifier: Apache-2.0
// The vector vocabulary with one float: the portable fallback, compiled for the baseline of the platform. See
// kernels/avx512/vec.h for the meaning of each word.
#pragma once

#include <math.h>
#include <string.h>

#include <cstdint>

namespace receptive {
namespace {

constexpr int kWidth = 1;

using Vec = float;
using Mask = bool;

inline Mask first_lanes(int count) { return count > 0; }
inline Vec zero() { return 0.0f; }
inline Vec broadcast(float value) { return value; }
inline Vec load(const float* from) { return *from; }
inline void store(float* to, Vec value) { *to = value; }
// Past the caches; `to` is aligned to a vector.
inline void stream(float* to, Vec value) { *to = value; }
inline Vec load_partial(const float* from, Mask lanes) { return lanes ? *from : 0.0f; }
inline void store_partial(float* to, Mask lanes, Vec value) {
  if (lanes) *to = value;
}

inline Vec add(Vec a, Vec b) { return a + b; }
inline Vec sub(Vec a, Vec b) { return a - b; }
inline Vec mul(Vec a, Vec b) { return a * b; }
inline Vec div(Vec a, Vec b) { return a / b; }
inline Vec sqrt(Vec a) { return ::sqrtf(a); }
inline Vec fma(Vec a, Vec b, Vec c) {
  return a * b + c;
}  // rounds twice: the baseline has no fused instruction
inline Vec max(Vec a, Vec b) { return a > b ? a : b; }
inline Vec min(Vec a, Vec b) { return a < b ? a : b; }
inline Vec abs(Vec a) { return ::fabsf(a); }
inline Vec copy_sign(Vec magnitude, Vec sign) { return ::copysignf(magnitude, sign); }

inline Mask less(Vec a, Vec b) { return a < b; }
inline Mask greater(Vec a, Vec b) { return a > b; }
inline Mask equal(Vec a, Vec b) { return a == b; }
inline Mask not_equal(Vec a, Vec b) { return a != b; }
inline Mask either(Mask a, Mask b) { return a || b; }
inline Mask both(Mask a, Mask b) { return a && b; }
inline Vec select(Mask mask, Vec yes, Vec no) { return mask ? yes : no; }

inline Vec round_nearest(Vec a) { return ::rintf(a); }
inline Vec times_power_of_two(Vec value, Vec exponent) {
  const std::int32_t bits = (static_cast<std::int32_t>(exponent) + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof(power));
  return value * power;
}
inline Vec split_exponent(Vec a, Vec* mantissa) {
  std::uint32_t bits;
  memcpy(&bits, &a, sizeof(bits));
  const std::uint32_t fraction = (bits & 0x007fffffu) | 0x3f800000u;
  memcpy(mantissa, &fraction, sizeof(fraction));
  return static_cast<float>(static_cast<std::int32_t>(bits >> 23) - 127);
}

inline float reduce_add(Vec a) { return a; }
inline float reduce_max(Vec a) { return a; }

inline void transpose_square(Vec*) {}

inline Vec load_integers(const std::uint8_t* from) { return static_cast<float>(*from); }
inline Vec load_integers(const std::int32_t* from) { return static_cast<float>(*from); }
inline Vec load_integers_partial(const std::uint8_t* from, int count) {
  return count > 0 ? load_integers(from) : 0.0f;
}
inline Vec load_integers_partial(const std::int32_t* from, int count) {
  return count > 0 ? load_integers(from) : 0.0f;
}
inline void store_integers(std::uint8_t* to, Vec value) { *to = static_cast<std::uint8_t>(value); }
inline void store_integers(std::int32_t* to, Vec value) { *to = static_cast<std::int32_t>(value); }
inline void store_integers_partial(std::uint8_t* to, int count, Vec value) {
  if (count > 0) store_integers(to, value);
}
inline void store_integers_partial(std::int32_t* to, int count, Vec value) {
  if (count > 0) store_integers(to, value);
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

inline void transpose(Vec*) {}

using Picks = std::int32_t;

inline Picks load_picks(const std::int32_t* from) { return *from; }
inline Vec pick(Vec low, Vec high, Picks picks) { return picks == 0 ? low : high; }

using Words = std::uint32_t;

inline Words broadcast_words(std::uint32_t value) { return value; }
inline Words add_words(Words a, Words b) { return a + b; }
inline Words xor_words(Words a, Words b) { return a ^ b; }
inline void multiply_wide(Words a, Words b, Words* high, Words* low) {
  const std::uint64_t product = static_cast<std::uint64_t>(a) * b;
  *high = static_cast<std::uint32_t>(product >> 32);
  *low = static_cast<std::uint32_t>(product);
}
inline Words block_numbers() { return 0; }
inline void transpose_blocks(Words*) {}
inline Vec upper_bits(Words a) { return static_cast<float>(a >> 8); }

using Doubles = double;

inline Doubles broadcast_doubles(double value) { return value; }
inline Doubles lane_numbers() { return 0; }
inline void store_doubles(double* to, Doubles a) { *to = a; }
inline Doubles add(Doubles a, Doubles b) { return a + b; }
inline Doubles sub(Doubles a, Doubles b) { return a - b; }
inline Doubles mul(Doubles a, Doubles b) { return a * b; }
inline Doubles div(Doubles a, Doubles b) { return a / b; }
inline Doubles max(Doubles a, Doubles b) { return a > b ? a : b; }
inline Doubles min(Doubles a, Doubles b) { return a < b ? a : b; }
inline Doubles floor(Doubles a) { return ::floor(a); }
inline Vec to_floats(Doubles a) { return static_cast<float>(a); }
inline Doubles to_doubles(Vec a) { return static_cast<double>(a); }
inline void store_integers(std::int64_t* to, Doubles a) { *to = static_cast<std::int64_t>(a); }

inline void load_pairs(const float* from, const std::int64_t* offsets, Vec* first, Vec* second) {
  *first = from[*offsets];
  *second = from[*offsets + 1];
}

struct Quad {
  float lanes[4];
};

inline Quad broadcast_quad(float value) { return {{value, value, value, value}}; }
inline Quad load_quad(const float* from) { return {{from[0], from[1], from[2], from[3]}}; }
inline void store_quad(float* to, Quad value) {
  for (int i = 0; i < 4; ++i) to[i] = value.lanes[i];
}
inline Quad add(Quad a, Quad b) {
  for (int i = 0; i < 4; ++i) a.lanes[i] += b.lanes[i];
  return a;
}
inline Quad sub(Quad a, Quad b) {
  for (int i = 0; i < 4; ++i) a.lanes[i] -= b.lanes[i];
  return a;
}
inline Quad mul(Quad a, Quad b) {
  for (int i = 0; i < 4; ++i) a.lanes[i] *= b.lanes[i];
  return a;
}

}  // namespace
}  // namespace receptive
