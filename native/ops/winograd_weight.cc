// SPDX-License-Identifier: Apache-2.0
#include "ops/winograd_weight.h"

#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// Writes row k of every panel of the group from taps [r * r][columns of the group], tap_stride apart.
void transform_row(float* u, const WinogradWeight& layout, std::int64_t first, std::int64_t columns,
                   std::int64_t k, const float* taps, std::int64_t tap_stride,
                   const WinogradTransforms& transforms) {
  for (std::int64_t column = 0; column < columns; column += layout.tile) {
    const std::int64_t stride = layout.stride(first + column);
    transforms.weight(u + column * layout.depth + k * stride, layout.frequency, taps + column, tap_stride,
                      layout.width(first + column));
  }
}

}  // namespace

void transform_weight(float* u, const WinogradWeight& layout, std::int64_t group, std::int64_t begin,
                      std::int64_t end, const WinogradConvolution& c, const KernelTable& table) {
  const std::int64_t first = group * WinogradWeight::kGroup, columns = layout.group_columns(group);
  const std::int64_t taps = c.transforms->taps * c.transforms->taps;
  if (c.adjoint) {  // output channels are neighbours in memory; the last tap comes first
    for (std::int64_t k = begin; k < end; ++k) {
      transform_row(u, layout, first, columns, k, c.weight + (k * taps + taps - 1) * layout.columns + first,
                    -layout.columns, *c.transforms);
    }
    return;
  }
  // Input channels are neighbours: a few of them are turned so that output channels are.
  constexpr std::int64_t kTurned = 16, kTap = kTurned * WinogradWeight::kGroup + 16;  // no power of two
  float* turned = workspace<float>(Slot::kTaskRows, taps * kTap);
  for (std::int64_t at = begin; at < end; at += kTurned) {
    const std::int64_t count = std::min(kTurned, end - at);
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      table.winograd->transpose(turned + tap * kTap, WinogradWeight::kGroup,
                                c.weight + (first * taps + tap) * layout.depth + at, taps * layout.depth,
                                columns, count);
    }
    for (std::int64_t k = 0; k < count; ++k) {
      transform_row(u, layout, first, columns, at + k, turned + k * WinogradWeight::kGroup, kTap,
                    *c.transforms);
    }
  }
}

}  // namespace receptive::ops
