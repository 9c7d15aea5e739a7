// SPDX-License-Identifier: Apache-2.0
// The table of the pooling kernels. Include after a vec.h.
#pragma once

#include "kernels/generic/adaptive_pool2d.inl.h"
#include "kernels/generic/pool2d_backward.inl.h"
#include "kernels/generic/pool2d_forward.inl.h"

namespace receptive {
namespace {

template <typename Index>
void max_forward(float* y, Index* winners, const float* x, const Pool2dGeometry& g, std::int64_t out_row) {
  const std::int64_t out = out_row * g.out_w * g.channels;
  forward_row(MaxForward<Index>{y + out, winners + out}, x, g, out_row);
}

void average_forward(float* y, const float* x, const Pool2dGeometry& g, std::int64_t out_row,
                     Divisor divisor) {
  forward_row(AverageForward{y + out_row * g.out_w * g.channels, divisor}, x, g, out_row);
}

void lp_forward(float* y, const float* x, const Pool2dGeometry& g, std::int64_t out_row, int p) {
  float* row = y + out_row * g.out_w * g.channels;
  if (p == 2) return forward_row(L2Forward{row}, x, g, out_row);
  forward_row(LpForward{row, p}, x, g, out_row);
}

constexpr Pool2dKernels kPool2dKernels = {
    {max_forward<std::uint8_t>, max_scatter<std::uint8_t>, max_gather<std::uint8_t>},
    {max_forward<std::int32_t>, max_scatter<std::int32_t>, max_gather<std::int32_t>},
    average_forward,
    average_scatter,
    average_gather,
    lp_forward,
    lp_scatter,
    lp_gather,
    {adaptive_max_forward, adaptive_average_forward, adaptive_max_gather, adaptive_average_gather},
};

}  // namespace
}  // namespace receptive
