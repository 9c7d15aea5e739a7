// SPDX-License-Identifier: Apache-2.0
#include "ops/pool2d.h"

#include <algorithm>
#include <cstring>

#include "kernels/select.h"
#include "ops/pool2d_rows.h"

namespace receptive::ops {
namespace {

// The rows of dx from where the windows of row out_row begin to where the next ones do: a partition.
void clear_rows(float* image, const Pool2dGeometry& g, std::int64_t out_row) {
  const std::int64_t top = out_row * g.stride_h - g.pad_top;
  const std::int64_t begin = out_row == 0 ? 0 : std::clamp<std::int64_t>(top, 0, g.in_h);
  const std::int64_t end =
      out_row == g.out_h - 1 ? g.in_h : std::clamp<std::int64_t>(top + g.stride_h, 0, g.in_h);
  const std::int64_t row = g.in_w * g.channels;
  std::memset(image + begin * row, 0, static_cast<std::size_t>((end - begin) * row) * sizeof(float));
}

// Whether each pixel is in a window, so that scatter writes all of dx: clearing it first was an eighth of a
// step of LeNet-5.
bool windows_cover(const Pool2dGeometry& g) {
  return g.pad_top == 0 && g.pad_left == 0 && g.stride_h == g.kernel_h && g.stride_w == g.kernel_w &&
         g.out_h * g.kernel_h == g.in_h && g.out_w * g.kernel_w == g.in_w;
}

// scatter(image, out_row) where windows are disjoint, else gather(image, in_row)
template <typename Scatter, typename Gather>
void backward(float* dx, const Pool2dGeometry& g, const Scatter& scatter, const Gather& gather) {
  if (!g.windows_are_disjoint()) return for_rows(g, g.in_h, gather);
  const bool covered = windows_cover(g);
  for_rows(g, g.out_h, [&](std::int64_t image, std::int64_t out_row) {
    if (!covered) clear_rows(dx + image * g.in_image(), g, out_row);
    scatter(image, out_row);
  });
}

const MaxPool2dKernels<std::uint8_t>& max_kernels(const std::uint8_t*) { return kernels().pool2d->max_bytes; }
const MaxPool2dKernels<std::int32_t>& max_kernels(const std::int32_t*) { return kernels().pool2d->max_ints; }

}  // namespace

template <typename Index>
void max_pool2d_forward(float* y, Index* winners, const float* x, const Pool2dGeometry& g) {
  const auto kernel = max_kernels(winners).forward;
  for_rows(g, g.out_h, [&](std::int64_t image, std::int64_t row) {
    kernel(y + image * g.out_image(), winners + image * g.out_image(), x + image * g.in_image(), g, row);
  });
}

template <typename Index>
void max_pool2d_backward(float* dx, const float* dy, const Index* winners, const Pool2dGeometry& g) {
  const MaxPool2dKernels<Index>& kernel = max_kernels(winners);
  const std::int64_t in = g.in_image(), out = g.out_image();
  backward(
      dx, g,
      [&](std::int64_t image, std::int64_t row) {
        kernel.scatter(dx + image * in, dy + image * out, winners + image * out, g, row);
      },
      [&](std::int64_t image, std::int64_t row) {
        kernel.gather(dx + image * in, dy + image * out, winners + image * out, g, row);
      });
}

template void max_pool2d_forward(float*, std::uint8_t*, const float*, const Pool2dGeometry&);
template void max_pool2d_forward(float*, std::int32_t*, const float*, const Pool2dGeometry&);
template void max_pool2d_backward(float*, const float*, const std::uint8_t*, const Pool2dGeometry&);
template void max_pool2d_backward(float*, const float*, const std::int32_t*, const Pool2dGeometry&);

void avg_pool2d_forward(float* y, const float* x, const Pool2dGeometry& g, Divisor divisor) {
  const auto kernel = kernels().pool2d->average_forward;
  for_rows(g, g.out_h, [&](std::int64_t image, std::int64_t row) {
    kernel(y + image * g.out_image(), x + image * g.in_image(), g, row, divisor);
  });
}

void avg_pool2d_backward(float* dx, const float* dy, const Pool2dGeometry& g, Divisor divisor) {
  const Pool2dKernels& kernel = *kernels().pool2d;
  const std::int64_t in = g.in_image(), out = g.out_image();
  backward(
      dx, g,
      [&](std::int64_t image, std::int64_t row) {
        kernel.average_scatter(dx + image * in, dy + image * out, g, row, divisor);
      },
      [&](std::int64_t image, std::int64_t row) {
        kernel.average_gather(dx + image * in, dy + image * out, g, row, divisor);
      });
}

void lp_pool2d_forward(float* y, const float* x, const Pool2dGeometry& g, int p) {
  const auto kernel = kernels().pool2d->lp_forward;
  for_rows(g, g.out_h, [&](std::int64_t image, std::int64_t row) {
    kernel(y + image * g.out_image(), x + image * g.in_image(), g, row, p);
  });
}

void lp_pool2d_backward(float* dx, const float* dy, const float* x, const float* y, const Pool2dGeometry& g,
                        int p) {
  const Pool2dKernels& kernel = *kernels().pool2d;
  const std::int64_t in = g.in_image(), out = g.out_image();
  backward(
      dx, g,
      [&](std::int64_t image, std::int64_t row) {
        kernel.lp_scatter(dx + image * in, dy + image * out, x + image * in, y + image * out, g, row, p);
      },
      [&](std::int64_t image, std::int64_t row) {
        kernel.lp_gather(dx + image * in, dy + image * out, x + image * in, y + image * out, g, row, p);
      });
}

}  // namespace receptive::ops
