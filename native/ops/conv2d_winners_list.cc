// SPDX-License-Identifier: Apache-2.0
// Where the gradients behind a max pool stand, and the list of those of an image that are not zero.
#include <algorithm>

#include "kernels/select.h"
#include "ops/conv2d_winners.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kVector = 16;  // the widest of any instruction set, which kernels may write whole

std::int64_t whole_vectors(std::int64_t floats) { return (floats + kVector - 1) / kVector * kVector; }

std::int64_t windows(const WinnerGeometry& g) { return g.windows_h() * g.windows_w(); }

}  // namespace

std::int64_t WinnerGeometry::image_h() const { return std::max(conv.in_h + conv.pad_top, conv.padded_h()); }
std::int64_t WinnerGeometry::image_w() const { return std::max(conv.in_w + conv.pad_left, conv.padded_w()); }
std::int64_t WinnerGeometry::image_size() const {
  return whole_vectors(image_h() * image_row()) + whole_vectors(window_floats());
}

BlockRows WinnerGeometry::sums() const {
  const std::int64_t floats = conv.kernel_w * conv.in_c;
  return {conv.kernel_h, floats, whole_vectors(floats)};
}

std::int64_t WinnerGeometry::weight_row() const {
  // Whole vectors, so that the weight of the last place in a window lies at their beginnings.
  return whole_vectors((pool.kernel_w - 1) * conv.stride_w * conv.in_c + whole_vectors(window_floats()));
}
std::int64_t WinnerGeometry::weight_channel() const {
  return (window_rows() + (pool.kernel_h - 1) * conv.stride_h) * weight_row();
}

std::int64_t WinnerTables::size(const WinnerGeometry& g) { return windows(g) + 2 * kPlaces; }

WinnerTables::WinnerTables(std::int32_t* memory, const WinnerGeometry& g)
    : window_x(memory), place_x(window_x + windows(g)), place_weight(place_x + kPlaces) {
  const Conv2dGeometry& c = g.conv;
  const std::int64_t down = c.stride_h * g.image_row(), right = c.stride_w * c.in_c;
  for (std::int64_t w = 0; w < windows(g); ++w) {
    window_x[w] = static_cast<std::int32_t>(w / g.windows_w() * g.pool.kernel_h * down +
                                            w % g.windows_w() * g.pool.kernel_w * right);
  }
  for (std::int64_t place = 0; place < kPlaces; ++place) {
    const bool exists = place < g.pool.size();
    const std::int64_t y = exists ? place / g.pool.kernel_w : 0, x = exists ? place % g.pool.kernel_w : 0;
    place_x[place] = static_cast<std::int32_t>(y * down + x * right);
    // The first place wants the weight moved least, and so begins with the most of the zeros before it.
    place_weight[place] = static_cast<std::int32_t>((g.pool.kernel_h - 1 - y) * c.stride_h * g.weight_row() +
                                                    (g.pool.kernel_w - 1 - x) * right);
  }
}

std::int64_t WinnerList::bytes(const WinnerGeometry& g) {
  return (2 * (g.pooled_image() + kVector) + windows(g)) * 4;
}

WinnerList::WinnerList(void* memory, const WinnerGeometry& g)
    : values(static_cast<float*>(memory)),
      offsets(reinterpret_cast<std::int32_t*>(values + g.pooled_image() + kVector)),
      window_ends(offsets + g.pooled_image() + kVector) {}

void WinnerList::read(const PooledGradient& image, const WinnerGeometry& g, const WinnerTables& tables) {
  const auto nonzero = kernels().winner->nonzero;
  const std::int64_t channels = g.conv.out_c;
  const auto weight_channel = static_cast<std::int32_t>(g.weight_channel());
  std::int64_t length = 0;
  for (std::int64_t w = 0; w < windows(g); ++w) {
    const std::uint8_t* winners = image.winners + w * channels;
    const std::int64_t end =
        length + nonzero(values + length, offsets + length, image.dz + w * channels, channels);
    for (; length < end; ++length) {
      const std::int32_t channel = offsets[length];
      offsets[length] = channel * weight_channel + tables.place_weight[winners[channel]];
    }
    window_ends[w] = static_cast<std::int32_t>(length);
  }
}

std::int64_t SplitGradient::bytes(const WinnerGeometry& g) { return g.pooled_image() * 5; }

SplitGradient::SplitGradient(void* memory, const WinnerGeometry& g)
    : dz(static_cast<float*>(memory)), winners(reinterpret_cast<std::uint8_t*>(dz + g.pooled_image())) {}

bool SplitGradient::read(const float* dy, std::int64_t number, const WinnerGeometry& g) {
  const WindowedImage image{dy, g.windows_h(), g.windows_w(), g.pool.kernel_h, g.pool.kernel_w, g.conv.out_c};
  return kernels().winner->split(dz, winners, image, number) > number + 1;
}

}  // namespace receptive::ops
