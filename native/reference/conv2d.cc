// SPDX-License-Identifier: Apache-2.0
// Every pass walks the same pairs (output element, input element) of the definition; they differ in what is
// summed.
#include "reference/conv2d.h"

#include <algorithm>

#include "reference/elementwise.h"

namespace receptive::reference {
namespace {

// body(output pixel, input pixel, tap) for every output pixel and every tap that lies inside x
template <typename Body>
void for_each_tap(const Conv2dGeometry& g, const Body& body) {
  for (std::int64_t n = 0; n < g.batch; ++n) {
    for (std::int64_t oy = 0; oy < g.out_h; ++oy) {
      for (std::int64_t ox = 0; ox < g.out_w; ++ox) {
        for (std::int64_t kh = 0; kh < g.kernel_h; ++kh) {
          for (std::int64_t kw = 0; kw < g.kernel_w; ++kw) {
            const std::int64_t iy = oy * g.stride_h + kh * g.dilation_h - g.pad_top;
            const std::int64_t ix = ox * g.stride_w + kw * g.dilation_w - g.pad_left;
            if (iy < 0 || iy >= g.in_h || ix < 0 || ix >= g.in_w) continue;
            body((n * g.out_h + oy) * g.out_w + ox, (n * g.in_h + iy) * g.in_w + ix, kh * g.kernel_w + kw);
          }
        }
      }
    }
  }
}

// body(index in y, first index in x, first index in weight) for each output channel of these pixels: the
// group_in() channels of its group lie side by side in x and in the weight.
template <typename Body>
void for_each_output(const Conv2dGeometry& g, std::int64_t output, std::int64_t input, std::int64_t tap,
                     const Body& body) {
  for (std::int64_t oc = 0; oc < g.out_c; ++oc) {
    body(output * g.out_c + oc, input * g.in_c + oc / g.group_out() * g.group_in(),
         oc * g.patch() + tap * g.group_in());
  }
}

}  // namespace

void conv2d_forward(double* y, const double* x, const double* weight, const double* bias,
                    const double* residual, bool relu, const Conv2dGeometry& g) {
  for (std::int64_t i = 0; i < g.output_size(); ++i) y[i] = bias == nullptr ? 0.0 : bias[i % g.out_c];
  for_each_tap(g, [&](std::int64_t output, std::int64_t input, std::int64_t tap) {
    for_each_output(g, output, input, tap, [&](std::int64_t yi, std::int64_t xi, std::int64_t wi) {
      for (std::int64_t i = 0; i < g.group_in(); ++i) y[yi] += x[xi + i] * weight[wi + i];
    });
  });
  if (residual != nullptr) add(y, y, residual, g.output_size());
  if (!relu) return;
  for (std::int64_t i = 0; i < g.output_size(); ++i) y[i] = y[i] < 0 ? 0.0 : y[i];  // NaN stays NaN
}

void conv2d_grad_input(double* dx, const double* dy, const double* weight, const Conv2dGeometry& g) {
  std::fill(dx, dx + g.input_size(), 0.0);
  for_each_tap(g, [&](std::int64_t output, std::int64_t input, std::int64_t tap) {
    for_each_output(g, output, input, tap, [&](std::int64_t yi, std::int64_t xi, std::int64_t wi) {
      for (std::int64_t i = 0; i < g.group_in(); ++i) dx[xi + i] += dy[yi] * weight[wi + i];
    });
  });
}

void conv2d_grad_weight(double* dweight, double* dbias, const double* dy, const double* x,
                        const Conv2dGeometry& g) {
  if (dbias != nullptr) column_sum(dbias, dy, g.output_pixels(), g.out_c);
  std::fill(dweight, dweight + g.weight_size(), 0.0);
  for_each_tap(g, [&](std::int64_t output, std::int64_t input, std::int64_t tap) {
    for_each_output(g, output, input, tap, [&](std::int64_t yi, std::int64_t xi, std::int64_t wi) {
      for (std::int64_t i = 0; i < g.group_in(); ++i) dweight[wi + i] += dy[yi] * x[xi + i];
    });
  });
}

void im2col(double* columns, const double* x, const Conv2dGeometry& g) {
  std::fill(columns, columns + g.output_pixels() * g.patch(), 0.0);
  for_each_tap(g, [&](std::int64_t output, std::int64_t input, std::int64_t tap) {
    for (std::int64_t ic = 0; ic < g.in_c; ++ic) {
      columns[output * g.patch() + tap * g.in_c + ic] = x[input * g.in_c + ic];
    }
  });
}

void col2im(double* dx, const double* columns, const Conv2dGeometry& g) {
  std::fill(dx, dx + g.input_size(), 0.0);
  for_each_tap(g, [&](std::int64_t output, std::int64_t input, std::int64_t tap) {
    for (std::int64_t ic = 0; ic < g.in_c; ++ic) {
      dx[input * g.in_c + ic] += columns[output * g.patch() + tap * g.in_c + ic];
    }
  });
}

}  // namespace receptive::reference
