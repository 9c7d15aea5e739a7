// SPDX-License-Identifier: Apache-2.0
// Instructions of pooling to a given size. Parameters: batch, inH, inW, channels, outH, outW. Winners are
// int32 pixels of the image.
#include "ops/adaptive_pool2d.h"

#include <algorithm>

#include "plan/opcodes.h"
#include "reference/adaptive_pool2d.h"

namespace receptive::plan {
namespace {

// Winners pass through float32 lanes, which hold whole numbers exactly up to here.
constexpr std::int64_t kLargestImage = 1 << 24;

Status read_geometry(const Arguments& args, Pool2dGeometry* g) {
  RECEPTIVE_CHECK(args.require_sizes(0, 6, 1));
  const double pixels = args.number(1) * args.number(2), outputs = args.number(4) * args.number(5);
  if (args.number(0) * args.number(3) * std::max(pixels, outputs) > 0x1p53)
    return Status::refuse("ERR_SHAPE", "images that can be addressed", "more than 2^53 elements");
  *g = {};
  g->batch = args.integer(0);
  g->in_h = args.integer(1);
  g->in_w = args.integer(2);
  g->channels = args.integer(3);
  g->out_h = args.integer(4);
  g->out_w = args.integer(5);
  return Status::success();
}

Status require_winners(const Arguments& args, int operand, const Pool2dGeometry& g) {
  RECEPTIVE_CHECK(args.require(operand, Dtype::kInt32, g.batch * g.out_image()));
  if (g.in_h * g.in_w <= kLargestImage) return Status::success();
  return Status::refuse("ERR_SHAPE", "images of at most 2^24 pixels",
                        std::to_string(g.in_h) + "x" + std::to_string(g.in_w));
}

std::int64_t input_size(const Pool2dGeometry& g) { return g.batch * g.in_image(); }
std::int64_t output_size(const Pool2dGeometry& g) { return g.batch * g.out_image(); }

}  // namespace

// (y, winners, x)
Status adaptive_max_pool2d_forward(const Arguments& args) {
  Pool2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), output_size(g)));
  RECEPTIVE_CHECK(require_winners(args, 1, g));
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), input_size(g)));
  auto* winners = args.data<std::int32_t>(1);
  if (is_double(args)) {
    reference::adaptive_max_pool2d_forward(args.data<double>(0), winners, args.data<double>(2), g);
  } else {
    ops::adaptive_max_pool2d_forward(args.data<float>(0), winners, args.data<float>(2), g);
  }
  return Status::success();
}

// (dx, dy, winners)
Status adaptive_max_pool2d_backward(const Arguments& args) {
  Pool2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), input_size(g)));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), output_size(g)));
  RECEPTIVE_CHECK(require_winners(args, 2, g));
  const auto* winners = args.data<std::int32_t>(2);
  if (is_double(args)) {
    reference::adaptive_max_pool2d_backward(args.data<double>(0), args.data<double>(1), winners, g);
  } else {
    ops::adaptive_max_pool2d_backward(args.data<float>(0), args.data<float>(1), winners, g);
  }
  return Status::success();
}

// (y, x)
Status adaptive_avg_pool2d_forward(const Arguments& args) {
  Pool2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), output_size(g)));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), input_size(g)));
  if (is_double(args)) {
    reference::adaptive_avg_pool2d_forward(args.data<double>(0), args.data<double>(1), g);
  } else {
    ops::adaptive_avg_pool2d_forward(args.data<float>(0), args.data<float>(1), g);
  }
  return Status::success();
}

// (dx, dy)
Status adaptive_avg_pool2d_backward(const Arguments& args) {
  Pool2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), input_size(g)));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), output_size(g)));
  if (is_double(args)) {
    reference::adaptive_avg_pool2d_backward(args.data<double>(0), args.data<double>(1), g);
  } else {
    ops::adaptive_avg_pool2d_backward(args.data<float>(0), args.data<float>(1), g);
  }
  return Status::success();
}

}  // namespace receptive::plan
