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

// body(value, place) for those of a window's outputs that are not zero; outputs are of one channel.
template <typename Body>
void for_window(const float* dy, const WinnerGeometry& g, const Body& body) {
  const std::int64_t channels = g.conv.out_c, row = g.conv.out_w * channels;
  for (std::int64_t y = 0, place = 0; y < g.pool.kernel_h; ++y) {
    for (std::int64_t x = 0; x < g.pool.kernel_w; ++x, ++place) {
      const float value = dy[y * row + x * channels];
      if (value != 0.0f) body(value, place);
    }
  }
}

// Where the outputs of a window begin.
std::int64_t first_output(std::int64_t window, const WinnerGeometry& g) {
  const std::int64_t y = window / g.windows_w() * g.pool.kernel_h,
                     x = window % g.windows_w() * g.pool.kernel_w;
  return (y * g.conv.out_w + x) * g.conv.out_c;
}

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
  return (pool.kernel_w - 1) * conv.stride_w * conv.in_c + whole_vectors(window_floats());
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
  return (2 * (g.conv.out_h * g.conv.out_w * g.conv.out_c + kVector) + windows(g)) * 4;
}

WinnerList::WinnerList(void* memory, const WinnerGeometry& g)
    : values(static_cast<float*>(memory)),
      offsets(reinterpret_cast<std::int32_t*>(values + g.conv.out_h * g.conv.out_w * g.conv.out_c + kVector)),
      window_ends(offsets + g.conv.out_h * g.conv.out_w * g.conv.out_c + kVector) {}

std::int64_t WinnerList::read_channel(const WinnerImage& image, std::int64_t channel, const WinnerGeometry& g,
                                      const WinnerTables& tables) {
  const std::int64_t channels = g.conv.out_c;
  std::int64_t length = 0;
  for (std::int64_t w = 0; w < windows(g); ++w) {
    if (image.winners == nullptr) {
      for_window(image.dy + first_output(w, g) + channel, g, [&](float value, std::int64_t place) {
        values[length] = value;
        offsets[length++] = tables.window_x[w] + tables.place_x[place];
      });
      continue;
    }
    // Without a branch: about every tenth is zero, nobody knows which.
    const std::int64_t i = w * channels + channel;
    const float value = image.dy[i];
    values[length] = value;
    offsets[length] = tables.window_x[w] + tables.place_x[image.winners[i]];
    length += value != 0.0f;
  }
  return length;
}

void WinnerList::read_windows(const WinnerImage& image, const WinnerGeometry& g, const WinnerTables& tables) {
  const auto nonzero = kernels().winner->nonzero;
  const std::int64_t channels = g.conv.out_c;
  std::int64_t length = 0;
  for (std::int64_t w = 0; w < windows(g); ++w) {
    const auto block = [&](std::int64_t channel, std::int64_t place) {
      return static_cast<std::int32_t>(channel * g.weight_channel()) + tables.place_weight[place];
    };
    if (image.winners == nullptr) {
      for (std::int64_t c = 0; c < channels; ++c) {
        for_window(image.dy + first_output(w, g) + c, g, [&](float value, std::int64_t place) {
          values[length] = value;
          offsets[length++] = block(c, place);
        });
      }
    } else {
      const std::int64_t found =
          nonzero(values + length, offsets + length, image.dy + w * channels, channels);
      for (std::int64_t end = length + found; length < end; ++length)
        offsets[length] = block(offsets[length], image.winners[w * channels + offsets[length]]);
    }
    window_ends[w] = static_cast<std::int32_t>(length);
  }
}

}  // namespace receptive::ops
