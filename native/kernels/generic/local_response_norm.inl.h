// SPDX-License-Identifier: Apache-2.0
// Local response normalisation over the vector vocabulary, a row of channels at a time: what is summed over
// neighbours is written to scratch between zeros first. Include after a vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"
#include "kernels/generic/math.inl.h"
#include "kernels/local_response_norm_kernels.h"

namespace receptive {
namespace {

// Where the parts of a row's scratch begin. Squares and terms have zeros on both sides, and vectors may be
// stored past their end.
struct ResponseScratch {
  float *squares, *terms, *powers;

  inline ResponseScratch(float* scratch, const LocalResponse& r) {
    const std::int64_t padded = padded_channels(r);
    squares = scratch;
    terms = squares + padded;
    powers = terms + padded;
    for (std::int64_t i = 0; i < 2 * padded; ++i) scratch[i] = 0;
  }
  static inline std::int64_t padded_channels(const LocalResponse& r) {
    return (r.before + r.after) * r.step + r.channels + kWidth;
  }
};

std::int64_t response_scratch(const LocalResponse& r) { return 3 * ResponseScratch::padded_channels(r); }

// The sum of a window of neighbours from `first` on, for each lane
inline Vec window_sum(const float* first, const LocalResponse& r) {
  Vec total = load(first);
  for (std::int64_t i = 1; i <= r.before + r.after; ++i) total = add(total, load(first + i * r.step));
  return total;
}

// body.apply(c, lanes) for all channels
template <typename Body>
inline void for_channels(const Body& body, std::int64_t channels) {
  std::int64_t c = 0;
  for (; c + kWidth <= channels; c += kWidth) body.apply(c, WholeVector{});
  if (c < channels) body.apply(c, PartialVector(channels - c));
}

struct Squares {
  const float* x;
  float* to;
  template <typename Range>
  inline void apply(std::int64_t c, Range lanes) const {
    const Vec value = lanes.load(x + c);
    lanes.store(to + c, mul(value, value));
  }
};

struct ResponseTerms {
  const float* squares;
  const LocalResponse& response;
  Vec share, beta, k;
  inline ResponseTerms(const float* squares, const LocalResponse& r)
      : squares(squares),
        response(r),
        share(broadcast(r.share)),
        beta(broadcast(r.beta)),
        k(broadcast(r.k)) {}

  inline Vec base(std::int64_t c) const { return fma(share, window_sum(squares + c, response), k); }
  inline Vec power(Vec base) const { return exp_or_infinity(mul(beta, log(base))); }
};

struct NormalizeResponse : ResponseTerms {
  float* y;
  const float* x;
  inline NormalizeResponse(const float* squares, const LocalResponse& r, float* y, const float* x)
      : ResponseTerms(squares, r), y(y), x(x) {}

  template <typename Range>
  inline void apply(std::int64_t c, Range lanes) const {
    lanes.store(y + c, div(lanes.load(x + c), power(base(c))));
  }
};

// dy * x * base^(-beta - 1), which is summed over the outputs that an input takes part in, and base^beta
struct ResponseGradients : ResponseTerms {
  const float *dy, *x;
  float *terms, *powers;
  inline ResponseGradients(const float* squares, const LocalResponse& r, const float* dy, const float* x,
                           float* terms, float* powers)
      : ResponseTerms(squares, r), dy(dy), x(x), terms(terms), powers(powers) {}

  template <typename Range>
  inline void apply(std::int64_t c, Range lanes) const {
    const Vec of = base(c), denominator = power(of);
    const Vec product = mul(lanes.load(dy + c), lanes.load(x + c));
    lanes.store(terms + c, div(product, mul(denominator, of)));
    lanes.store(powers + c, denominator);
  }
};

struct ResponseGradInput {
  float* dx;
  const float *dy, *x, *terms, *powers;
  const LocalResponse& response;
  Vec factor;  // -2 beta share

  template <typename Range>
  inline void apply(std::int64_t c, Range lanes) const {
    const Vec direct = div(lanes.load(dy + c), lanes.load(powers + c));
    const Vec through = mul(window_sum(terms + c, response), mul(factor, lanes.load(x + c)));
    lanes.store(dx + c, add(direct, through));
  }
};

inline Vec response_factor(const LocalResponse& r) { return broadcast(-2.0f * r.beta * r.share); }

void response_forward(float* y, const float* x, float* memory, const LocalResponse& r, std::int64_t rows) {
  const ResponseScratch scratch(memory, r);
  for (std::int64_t row = 0; row < rows; ++row, y += r.channels, x += r.channels) {
    for_channels(Squares{x, scratch.squares + r.before}, r.channels);
    for_channels(NormalizeResponse(scratch.squares, r, y, x), r.channels);
  }
}

void response_backward(float* dx, const float* dy, const float* x, float* memory, const LocalResponse& r,
                       std::int64_t rows) {
  const ResponseScratch scratch(memory, r);
  const Vec factor = response_factor(r);
  for (std::int64_t row = 0; row < rows; ++row, dx += r.channels, dy += r.channels, x += r.channels) {
    for_channels(Squares{x, scratch.squares + r.before}, r.channels);
    for_channels(ResponseGradients(scratch.squares, r, dy, x, scratch.terms + r.after, scratch.powers),
                 r.channels);
    for_channels(ResponseGradInput{dx, dy, x, scratch.terms, scratch.powers, r, factor}, r.channels);
  }
}

}  // namespace
}  // namespace receptive
