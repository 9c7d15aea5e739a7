// SPDX-License-Identifier: Apache-2.0
// Convolutions of NHWC images over batch-interleaved copies.
#include "ops/conv2d_interleaved.h"
#include "ops/interleave.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

std::int64_t input_size(const Conv2dGeometry& g) {
  return interleaved_size(g.batch, g.in_h * g.in_w * g.in_c);
}
std::int64_t output_size(const Conv2dGeometry& g) {
  return interleaved_size(g.batch, g.out_h * g.out_w * g.out_c);
}

// Interleaved x and dy, or dx and y, lie one after the other.
struct Lanes {
  float* input;
  float* output;
  explicit Lanes(const Conv2dGeometry& g)
      : input(workspace<float>(Slot::kPadded, input_size(g) + output_size(g))),
        output(input + input_size(g)) {}
};

void interleave_input(float* to, const float* x, const Conv2dGeometry& g) {
  interleave(to, x, g.batch, g.in_h * g.in_w * g.in_c);
}
void interleave_output(float* to, const float* dy, const Conv2dGeometry& g) {
  interleave(to, dy, g.batch, g.out_h * g.out_w * g.out_c);
}

}  // namespace

void conv2d_forward_through_lanes(float* y, const float* x, const float* weight, const float* bias, bool relu,
                                  const Conv2dGeometry& g) {
  const Lanes lanes(g);
  interleave_input(lanes.input, x, g);
  conv2d_forward_interleaved(lanes.output, lanes.input, weight, bias, relu, g);
  deinterleave(y, lanes.output, g.batch, g.out_h * g.out_w * g.out_c);
}

void conv2d_grad_input_through_lanes(float* dx, const float* dy, const float* weight,
                                     const Conv2dGeometry& g) {
  const Lanes lanes(g);
  interleave_output(lanes.output, dy, g);
  conv2d_grad_input_interleaved(lanes.input, lanes.output, weight, g);
  deinterleave(dx, lanes.input, g.batch, g.in_h * g.in_w * g.in_c);
}

void conv2d_grad_weight_through_lanes(float* dweight, float* dbias, const float* dy, const float* x,
                                      const Conv2dGeometry& g) {
  const Lanes lanes(g);
  interleave_input(lanes.input, x, g);
  interleave_output(lanes.output, dy, g);
  conv2d_grad_weight_interleaved(dweight, dbias, lanes.output, lanes.input, g);
}

}  // namespace receptive::ops
