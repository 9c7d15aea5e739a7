// SPDX-License-Identifier: Apache-2.0
#include "ops/adaptive_pool2d.h"

#include "kernels/select.h"
#include "ops/pool2d_rows.h"

namespace receptive::ops {

void adaptive_max_pool2d_forward(float* y, std::int32_t* winners, const float* x, const Pool2dGeometry& g) {
  const auto kernel = kernels().pool2d->adaptive.max_forward;
  const std::int64_t in = g.in_image(), out = g.out_image();
  for_rows(g, g.out_h, [&](std::int64_t image, std::int64_t row) {
    kernel(y + image * out, winners + image * out, x + image * in, g, row);
  });
}

void adaptive_max_pool2d_backward(float* dx, const float* dy, const std::int32_t* winners,
                                  const Pool2dGeometry& g) {
  const auto kernel = kernels().pool2d->adaptive.max_gather;
  const std::int64_t in = g.in_image(), out = g.out_image();
  for_rows(g, g.in_h, [&](std::int64_t image, std::int64_t row) {
    kernel(dx + image * in, dy + image * out, winners + image * out, g, row);
  });
}

void adaptive_avg_pool2d_forward(float* y, const float* x, const Pool2dGeometry& g) {
  const auto kernel = kernels().pool2d->adaptive.average_forward;
  for_rows(g, g.out_h, [&](std::int64_t image, std::int64_t row) {
    kernel(y + image * g.out_image(), x + image * g.in_image(), g, row);
  });
}

void adaptive_avg_pool2d_backward(float* dx, const float* dy, const Pool2dGeometry& g) {
  const auto kernel = kernels().pool2d->adaptive.average_gather;
  for_rows(g, g.in_h, [&](std::int64_t image, std::int64_t row) {
    kernel(dx + image * g.in_image(), dy + image * g.out_image(), g, row);
  });
}

}  // namespace receptive::ops
