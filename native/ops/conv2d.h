// SPDX-License-Identifier: Apache-2.0
// 2-D convolution (cross-correlation, as every CNN library means it): geometry and the three passes.
//
//   y[n, oy, ox, oc] = bias[oc] + sum over kh, kw, i of x[n, oy * strideH + kh * dilationH - padTop,
//                                                         ox * strideW + kw * dilationW - padLeft,
//                                                         group of oc * inC / groups + i] * weight[oc, kh,
//                                                         kw, i]
//
// x is [n, inH, inW, inC], weight [outC, kH, kW, inC / groups], y [n, outH, outW, outC]; outside x lie zeros.
// The group of oc is oc / (outC / groups), rounded down. A convolution of sequences has a height of 1, a
// transposed one is grad_input.
#pragma once

#include <cstdint>

namespace receptive {

struct Conv2dGeometry {
  std::int64_t batch, in_h, in_w, in_c;
  std::int64_t out_h, out_w, out_c;
  std::int64_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left;
  std::int64_t dilation_h = 1, dilation_w = 1, groups = 1;
  // Floats from one pixel to the next of x and of y, where the channels are those of one group of wider
  // images; 0: the channels are all there are.
  std::int64_t in_step = 0, out_step = 0;

  std::int64_t in_pixel() const { return in_step == 0 ? in_c : in_step; }
  std::int64_t out_pixel() const { return out_step == 0 ? out_c : out_step; }
  bool is_dense() const { return in_pixel() == in_c && out_pixel() == out_c; }
  bool is_dilated() const { return dilation_h != 1 || dilation_w != 1; }
  std::int64_t group_in() const { return in_c / groups; }
  std::int64_t group_out() const { return out_c / groups; }
  std::int64_t input_size() const { return batch * in_h * in_w * in_c; }
  std::int64_t output_size() const { return output_pixels() * out_c; }
  std::int64_t output_pixels() const { return batch * out_h * out_w; }
  std::int64_t patch() const { return kernel_h * kernel_w * group_in(); }  // K: inputs that one output reads
  // A matrix product over all pixels.
  bool is_pointwise() const {
    return kernel_h == 1 && kernel_w == 1 && stride_h == 1 && stride_w == 1 && pad_top == 0 && pad_left == 0;
  }
  std::int64_t weight_size() const { return out_c * patch(); }
  // From the first to the last pixel that one output reads.
  std::int64_t span_h() const { return (kernel_h - 1) * dilation_h + 1; }
  std::int64_t span_w() const { return (kernel_w - 1) * dilation_w + 1; }
  // Height and width of the part of the zero-bordered image that some output reads.
  std::int64_t padded_h() const { return (out_h - 1) * stride_h + span_h(); }
  std::int64_t padded_w() const { return (out_w - 1) * stride_w + span_w(); }
};

struct PoolWindow;  // ops/conv2d_winners.h

namespace ops {

enum class Conv2dChoice;  // ops/conv2d_algorithm.h

// bias may be nullptr. residual, of the shape of y, is added to the result before the ReLU, or nullptr: only
// some algorithms take one (adds_residual in ops/conv2d_algorithm.h). `pool` is the max pool that dy came
// through, if it did. `prepared` is what conv2d_prepare_weight made of the weight, or nullptr.
void conv2d_forward(float* y, const float* x, const float* weight, const float* bias, const float* residual,
                    bool relu, const Conv2dGeometry& geometry, Conv2dChoice choice,
                    const float* prepared = nullptr);

// The weight as the algorithm of the forward pass reads it: packed, or transformed. Floats it takes; 0 where
// the algorithm reads the weight as it is.
std::int64_t prepared_weight_size(const Conv2dGeometry& geometry, Conv2dChoice choice);
void conv2d_prepare_weight(float* prepared, const float* weight, const Conv2dGeometry& geometry,
                           Conv2dChoice choice);
void conv2d_grad_input(float* dx, const float* dy, const float* weight, const Conv2dGeometry& geometry,
                       Conv2dChoice choice, const PoolWindow& pool);
// dbias, the sum of dy over the pixels, may be nullptr.
void conv2d_grad_weight(float* dweight, float* dbias, const float* dy, const float* x,
                        const Conv2dGeometry& geometry, Conv2dChoice choice, const PoolWindow& pool);

}  // namespace ops
}  // namespace receptive
