// SPDX-License-Identifier: Apache-2.0
// Local response normalisation among the pixels of a channel, over the vector vocabulary. A row of an image
// is one of floats whose neighbours are a pixel apart: sums down the rows first, then along the row as
// local_response_norm.inl.h takes them. Include after a vec.h.
#pragma once

#include "kernels/generic/local_response_norm.inl.h"

namespace receptive {
namespace {

// Squares and sums have zeros on both sides. Terms and powers of the rows that a row of dx sees stand in a
// ring.
struct MapScratch {
  float *squares, *sums, *terms, *powers;
  std::int64_t ring;

  inline MapScratch(float* scratch, const LocalResponse& r, const ResponseRows& rows) : ring(ring_of(rows)) {
    const std::int64_t padded = ResponseScratch::padded_channels(r);
    squares = scratch;
    sums = squares + padded;
    terms = sums + padded;
    powers = terms + ring * r.channels;
    for (std::int64_t i = 0; i < 2 * padded; ++i) scratch[i] = 0;
  }
  static inline std::int64_t ring_of(const ResponseRows& rows) { return rows.above + 1 + rows.below; }
};

std::int64_t map_response_scratch(const LocalResponse& r, const ResponseRows& rows) {
  return 2 * (ResponseScratch::padded_channels(r) + MapScratch::ring_of(rows) * r.channels);
}

// The sum of squares down `rows` rows
struct SquaresDown {
  const float* x;
  float* to;
  std::int64_t rows, stride;
  template <typename Range>
  inline void apply(std::int64_t c, Range lanes) const {
    const Vec first = lanes.load(x + c);
    Vec total = mul(first, first);
    for (std::int64_t i = 1; i < rows; ++i) {
      const Vec value = lanes.load(x + i * stride + c);
      total = fma(value, value, total);
    }
    lanes.store(to + c, total);
  }
};

inline void squares_around(const MapScratch& scratch, const float* x, const LocalResponse& r,
                           const ResponseRows& rows, std::int64_t row) {
  const std::int64_t top = row > rows.above ? row - rows.above : 0;
  const std::int64_t end = row + rows.below < rows.height ? row + rows.below + 1 : rows.height;
  float* to = scratch.squares + r.before * r.step;
  for_channels(SquaresDown{x + top * r.channels, to, end - top, r.channels}, r.channels);
}

// The sum of `count` rows of a ring from row `first` on
struct RingSum {
  const float* ring;
  float* to;
  std::int64_t first, count, rows, stride;
  template <typename Range>
  inline void apply(std::int64_t c, Range lanes) const {
    std::int64_t slot = first % rows;
    Vec total = lanes.load(ring + slot * stride + c);
    for (std::int64_t i = 1; i < count; ++i) {
      slot = slot + 1 == rows ? 0 : slot + 1;
      total = add(total, lanes.load(ring + slot * stride + c));
    }
    lanes.store(to + c, total);
  }
};

void map_response_forward(float* y, const float* x, float* memory, const LocalResponse& r,
                          const ResponseRows& rows, std::int64_t first, std::int64_t end) {
  const MapScratch scratch(memory, r, rows);
  for (std::int64_t row = first; row < end; ++row) {
    squares_around(scratch, x, r, rows, row);
    const std::int64_t at = row * r.channels;
    for_channels(NormalizeResponse(scratch.squares, r, y + at, x + at), r.channels);
  }
}

// A row of dx sees the terms of the outputs whose windows it lies in: from `below` rows above to `above`
// below.
void map_response_backward(float* dx, const float* dy, const float* x, float* memory, const LocalResponse& r,
                           const ResponseRows& rows, std::int64_t first, std::int64_t end) {
  const MapScratch scratch(memory, r, rows);
  const Vec factor = response_factor(r);
  std::int64_t next = first > rows.below ? first - rows.below : 0;
  for (std::int64_t row = first; row < end; ++row) {
    const std::int64_t top = row > rows.below ? row - rows.below : 0;
    const std::int64_t bottom = row + rows.above < rows.height ? row + rows.above + 1 : rows.height;
    for (; next < bottom; ++next) {
      squares_around(scratch, x, r, rows, next);
      const std::int64_t at = next * r.channels, slot = next % scratch.ring * r.channels;
      for_channels(
          ResponseGradients(scratch.squares, r, dy + at, x + at, scratch.terms + slot, scratch.powers + slot),
          r.channels);
    }
    for_channels(
        RingSum{scratch.terms, scratch.sums + r.after * r.step, top, bottom - top, scratch.ring, r.channels},
        r.channels);
    const std::int64_t at = row * r.channels;
    const float* powers = scratch.powers + row % scratch.ring * r.channels;
    for_channels(ResponseGradInput{dx + at, dy + at, x + at, scratch.sums, powers, r, factor}, r.channels);
  }
}

constexpr LocalResponseNormKernels kLocalResponseNormKernels = {response_scratch,     response_forward,
                                                                response_backward,    map_response_scratch,
                                                                map_response_forward, map_response_backward};

}  // namespace
}  // namespace receptive
