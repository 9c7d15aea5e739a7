// SPDX-License-Identifier: Apache-2.0
// Instructions of the 2-D poolings. Parameters of all of them: batch, inH, inW, channels, outH, outW, kH, kW,
// strideH, strideW, padTop, padLeft, and for averages 1 if padding counts in the divisor, for norms which
// one.
#include "ops/pool2d.h"

#include <algorithm>

#include "plan/opcodes.h"
#include "reference/pool2d.h"

namespace receptive::plan {
namespace {

constexpr int kCountPaddingParam = 12, kNormParam = 12;
// Winners pass through float32 lanes, which hold whole numbers exactly up to here.
constexpr std::int64_t kLargestWindow = 1 << 24;
constexpr std::int64_t kLargestByteWindow = 256;
constexpr double kLargestNorm = 1024;

// Each window must reach into the image: begin before its end, and not end before its beginning.
bool windows_reach(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                   std::int64_t pad) {
  return pad < kernel && (out - 1) * stride - pad < in;
}

Status read_geometry(const Arguments& args, Pool2dGeometry* g) {
  RECEPTIVE_CHECK(args.require_sizes(0, 10, 1));
  RECEPTIVE_CHECK(args.require_sizes(10, 2, 0));
  *g = {args.integer(0), args.integer(1), args.integer(2),  args.integer(3),
        args.integer(4), args.integer(5), args.integer(6),  args.integer(7),
        args.integer(8), args.integer(9), args.integer(10), args.integer(11)};
  const double pixels = static_cast<double>(std::max(g->in_h * g->in_w, g->out_h * g->out_w));
  if (static_cast<double>(g->batch) * static_cast<double>(g->channels) * pixels > 0x1p53)
    return Status::refuse("ERR_SHAPE", "images that can be addressed", "more than 2^53 elements");
  if (g->kernel_h > kLargestWindow || g->kernel_w > kLargestWindow || g->window() > kLargestWindow) {
    return Status::refuse("ERR_ARGUMENT", "a window of at most 2^24 elements",
                          std::to_string(g->kernel_h) + "x" + std::to_string(g->kernel_w));
  }
  if (!windows_reach(g->in_h, g->out_h, g->kernel_h, g->stride_h, g->pad_top) ||
      !windows_reach(g->in_w, g->out_w, g->kernel_w, g->stride_w, g->pad_left)) {
    return Status::refuse("ERR_SHAPE", "every window to reach into the image", "a window in padding alone");
  }
  return Status::success();
}

std::int64_t input_size(const Pool2dGeometry& g) { return g.batch * g.in_image(); }
std::int64_t output_size(const Pool2dGeometry& g) { return g.batch * g.out_image(); }

Dtype winner_dtype(const Pool2dGeometry& g) {
  return g.window() <= kLargestByteWindow ? Dtype::kUint8 : Dtype::kInt32;
}

template <typename Index>
void run_max_forward(const Arguments& args, const Pool2dGeometry& g) {
  if (is_double(args)) {
    reference::max_pool2d_forward(args.data<double>(0), args.data<Index>(1), args.data<double>(2), g);
  } else {
    ops::max_pool2d_forward(args.data<float>(0), args.data<Index>(1), args.data<float>(2), g);
  }
}

template <typename Index>
void run_max_backward(const Arguments& args, const Pool2dGeometry& g) {
  if (is_double(args)) {
    reference::max_pool2d_backward(args.data<double>(0), args.data<double>(1), args.data<Index>(2), g);
  } else {
    ops::max_pool2d_backward(args.data<float>(0), args.data<float>(1), args.data<Index>(2), g);
  }
}

Divisor read_divisor(const Arguments& args) {
  return args.number(kCountPaddingParam) != 0 ? Divisor::kPadded : Divisor::kInside;
}

Status read_norm(const Arguments& args, int* p) {
  RECEPTIVE_CHECK(args.require_sizes(kNormParam, 1, 1));
  if (args.number(kNormParam) > kLargestNorm)
    return Status::refuse("ERR_ARGUMENT", "a norm of at most 1024", std::to_string(args.integer(kNormParam)));
  *p = static_cast<int>(args.integer(kNormParam));
  return Status::success();
}

}  // namespace

// (y, winners, x): winners are uint8 for windows of at most 256 elements, else int32
Status max_pool2d_forward(const Arguments& args) {
  Pool2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), output_size(g)));
  RECEPTIVE_CHECK(args.require(1, winner_dtype(g), output_size(g)));
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), input_size(g)));
  if (winner_dtype(g) == Dtype::kUint8) {
    run_max_forward<std::uint8_t>(args, g);
  } else {
    run_max_forward<std::int32_t>(args, g);
  }
  return Status::success();
}

// (dx, dy, winners)
Status max_pool2d_backward(const Arguments& args) {
  Pool2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), input_size(g)));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), output_size(g)));
  RECEPTIVE_CHECK(args.require(2, winner_dtype(g), output_size(g)));
  if (winner_dtype(g) == Dtype::kUint8) {
    run_max_backward<std::uint8_t>(args, g);
  } else {
    run_max_backward<std::int32_t>(args, g);
  }
  return Status::success();
}

// (y, x)
Status avg_pool2d_forward(const Arguments& args) {
  Pool2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), output_size(g)));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), input_size(g)));
  if (is_double(args)) {
    reference::avg_pool2d_forward(args.data<double>(0), args.data<double>(1), g, read_divisor(args));
  } else {
    ops::avg_pool2d_forward(args.data<float>(0), args.data<float>(1), g, read_divisor(args));
  }
  return Status::success();
}

// (dx, dy)
Status avg_pool2d_backward(const Arguments& args) {
  Pool2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), input_size(g)));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), output_size(g)));
  if (is_double(args)) {
    reference::avg_pool2d_backward(args.data<double>(0), args.data<double>(1), g, read_divisor(args));
  } else {
    ops::avg_pool2d_backward(args.data<float>(0), args.data<float>(1), g, read_divisor(args));
  }
  return Status::success();
}

// (y, x)
Status lp_pool2d_forward(const Arguments& args) {
  Pool2dGeometry g;
  int p;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(read_norm(args, &p));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), output_size(g)));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), input_size(g)));
  if (is_double(args)) {
    reference::lp_pool2d_forward(args.data<double>(0), args.data<double>(1), g, p);
  } else {
    ops::lp_pool2d_forward(args.data<float>(0), args.data<float>(1), g, p);
  }
  return Status::success();
}

// (dx, dy, x, y)
Status lp_pool2d_backward(const Arguments& args) {
  Pool2dGeometry g;
  int p;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(read_norm(args, &p));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), input_size(g)));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), output_size(g)));
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), input_size(g)));
  RECEPTIVE_CHECK(args.require(3, float_dtype(args), output_size(g)));
  if (is_double(args)) {
    reference::lp_pool2d_backward(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                                  args.data<double>(3), g, p);
  } else {
    ops::lp_pool2d_backward(args.data<float>(0), args.data<float>(1), args.data<float>(2),
                            args.data<float>(3), g, p);
  }
  return Status::success();
}

}  // namespace receptive::plan
