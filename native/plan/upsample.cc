// SPDX-License-Identifier: Apache-2.0
// Instructions that resize images. Parameters: batch, inH, inW, channels, outH, outW; how far apart outputs
// lie, in pixels, as numerator and denominator, of rows and of columns; for bilinear ones 1 if corners are
// aligned.
#include "ops/upsample.h"

#include <cmath>

#include "plan/opcodes.h"
#include "reference/upsample.h"

namespace receptive::plan {
namespace {

using ops::UpsampleMode;

constexpr int kRatioParam = 6, kAlignedParam = 10;

Status read_geometry(const Arguments& args, ops::UpsampleGeometry* g) {
  RECEPTIVE_CHECK(args.require_sizes(0, 6, 1));
  const double images = args.number(0) * args.number(3);
  if (images * args.number(1) * args.number(2) > 0x1p53 || images * args.number(4) * args.number(5) > 0x1p53)
    return Status::refuse("ERR_SHAPE", "images that can be addressed", "more than 2^53 elements");
  for (int i = kRatioParam; i < kAlignedParam; ++i) {
    const double low = i % 2 == 0 ? 0.0 : 0x1p-53;  // a denominator is above 0
    if (args.number(i) >= low && args.number(i) <= 0x1p53) continue;
    return Status::refuse("ERR_ARGUMENT", "ratios of 2^-53 to 2^53", std::to_string(args.number(i)));
  }
  const bool aligned = args.number(kAlignedParam) != 0;
  g->batch = args.integer(0);
  g->channels = args.integer(3);
  g->rows = {args.integer(1), args.integer(4), args.number(kRatioParam), args.number(kRatioParam + 1),
             aligned};
  g->columns = {args.integer(2), args.integer(5), args.number(kRatioParam + 2), args.number(kRatioParam + 3),
                aligned};
  return Status::success();
}

// (y, x)
Status run_forward(const Arguments& args, UpsampleMode mode) {
  ops::UpsampleGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), g.batch * g.out_image()));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), g.batch * g.in_image()));
  if (is_double(args)) {
    reference::upsample_forward(args.data<double>(0), args.data<double>(1), g, mode);
  } else {
    ops::upsample_forward(args.data<float>(0), args.data<float>(1), g, mode);
  }
  return Status::success();
}

// (dx, dy)
Status run_backward(const Arguments& args, UpsampleMode mode) {
  ops::UpsampleGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), g.batch * g.in_image()));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), g.batch * g.out_image()));
  if (is_double(args)) {
    reference::upsample_backward(args.data<double>(0), args.data<double>(1), g, mode);
  } else {
    ops::upsample_backward(args.data<float>(0), args.data<float>(1), g, mode);
  }
  return Status::success();
}

}  // namespace

Status upsample_nearest_forward(const Arguments& args) { return run_forward(args, UpsampleMode::kNearest); }
Status upsample_nearest_backward(const Arguments& args) { return run_backward(args, UpsampleMode::kNearest); }
Status upsample_bilinear_forward(const Arguments& args) { return run_forward(args, UpsampleMode::kBilinear); }
Status upsample_bilinear_backward(const Arguments& args) {
  return run_backward(args, UpsampleMode::kBilinear);
}

}  // namespace receptive::plan
