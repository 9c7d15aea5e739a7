// SPDX-License-Identifier: Apache-2.0
// Resizing of images over the vector vocabulary, vectors along the channels. Include after a vec.h.
#pragma once

#include "kernels/generic/lanes.inl.h"
#include "kernels/upsample_kernels.h"

namespace receptive {
namespace {

// body.apply(first channel, range) for every vector of channels
template <typename Body>
inline void for_channels(const Body& body, std::int64_t channels) {
  std::int64_t c = 0;
  for (; c + kWidth <= channels; c += kWidth) body.apply(c, WholeVector{});
  if (c < channels) body.apply(c, PartialVector(channels - c));
}

struct NearestPixel {
  float* y;
  const float* x;

  template <typename Range>
  inline void apply(std::int64_t c, Range range) const {
    range.store(y + c, range.load(x + c));
  }
};

// Four neighbours: rows first, then columns
struct BilinearPixel {
  float* y;
  const float *near_near, *near_far, *far_near, *far_far;
  Vec row_share, row_rest, column_share, column_rest;

  template <typename Range>
  inline void apply(std::int64_t c, Range range) const {
    const Vec near = fma(range.load(far_near + c), row_share, mul(range.load(near_near + c), row_rest));
    const Vec far = fma(range.load(far_far + c), row_share, mul(range.load(near_far + c), row_rest));
    range.store(y + c, fma(far, column_share, mul(near, column_rest)));
  }
};

struct GatherPixel {
  float* dx;
  const float* dy;
  UpsampleReaders rows, columns;
  std::int64_t out_width, channels;

  template <typename Range>
  inline void apply(std::int64_t c, Range range) const {
    Vec total = zero();
    for (std::int64_t oh = rows.begin; oh < rows.end; ++oh) {
      const float* from = dy + (oh * out_width + columns.begin) * channels + c;
      Vec row = zero();
      for (std::int64_t ow = columns.begin; ow < columns.end; ++ow, from += channels)
        row = fma(range.load(from), broadcast(columns.weights[ow - columns.begin]), row);
      total = fma(row, broadcast(rows.weights[oh - rows.begin]), total);
    }
    range.store(dx + c, total);
  }
};

void upsample_nearest(float* y, const float* x, const UpsampleTap* columns, std::int64_t width,
                      std::int64_t channels) {
  for (std::int64_t ow = 0; ow < width; ++ow)
    for_channels(NearestPixel{y + ow * channels, x + columns[ow].near * channels}, channels);
}

void upsample_bilinear(float* y, const float* near_row, const float* far_row, float share,
                       const UpsampleTap* columns, std::int64_t width, std::int64_t channels) {
  const Vec row_share = broadcast(share), row_rest = broadcast(1.0f - share);
  for (std::int64_t ow = 0; ow < width; ++ow) {
    const std::int64_t near = columns[ow].near * channels, far = columns[ow].far * channels;
    const BilinearPixel pixel = {y + ow * channels,
                                 near_row + near,
                                 near_row + far,
                                 far_row + near,
                                 far_row + far,
                                 row_share,
                                 row_rest,
                                 broadcast(columns[ow].share),
                                 broadcast(1.0f - columns[ow].share)};
    for_channels(pixel, channels);
  }
}

void upsample_gather(float* dx, const float* dy, const UpsampleReaders& rows, const UpsampleReaders* columns,
                     std::int64_t width, std::int64_t out_width, std::int64_t channels) {
  for (std::int64_t iw = 0; iw < width; ++iw)
    for_channels(GatherPixel{dx + iw * channels, dy, rows, columns[iw], out_width, channels}, channels);
}

constexpr UpsampleKernels kUpsampleKernels = {upsample_nearest, upsample_bilinear, upsample_gather};

}  // namespace
}  // namespace receptive
