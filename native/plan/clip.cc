// SPDX-License-Identifier: Apache-2.0
// Instructions that measure and clip gradients.
#include "ops/clip.h"

#include <cmath>

#include "plan/opcodes.h"
#include "reference/optimizer.h"

namespace receptive::plan {

// (squares [1] double, in; first): adds the sum of the squares of all elements; `first` begins at 0
Status square_sum(const Arguments& args) {
  const std::int64_t size = args.size(1);
  const bool is_wide = args.dtype(1) == Dtype::kFloat64;
  RECEPTIVE_CHECK(args.require(0, Dtype::kFloat64, 1));
  RECEPTIVE_CHECK(args.require(1, is_wide ? Dtype::kFloat64 : Dtype::kFloat32, size));
  const double sum = is_wide ? reference::square_sum(args.data<double>(1), size)
                             : ops::square_sum(args.data<float>(1), size);
  double* squares = args.data<double>(0);
  *squares = args.number(0) != 0 ? sum : *squares + sum;
  return Status::success();
}

// (norm [1], squares [1] double)
Status norm(const Arguments& args) {
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), 1));
  RECEPTIVE_CHECK(args.require(1, Dtype::kFloat64, 1));
  const double root = std::sqrt(*args.data<double>(1));
  if (is_double(args)) {
    *args.data<double>(0) = root;
  } else {
    *args.data<float>(0) = static_cast<float>(root);
  }
  return Status::success();
}

// (gradient, squares [1] double or none; largest norm, largest magnitude or 0 for no limit), in place
Status clip(const Arguments& args) {
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), args.size(0)));
  RECEPTIVE_CHECK(args.allow(1, Dtype::kFloat64, 1));
  ops::GradientOptions options;
  if (args.has(1)) options.norm_factor = ops::clip_factor(*args.data<double>(1), args.number(0));
  if (args.number(1) > 0) options.limit = args.number(1);
  if (is_double(args)) {
    reference::clip(args.data<double>(0), args.size(0), options);
  } else {
    ops::clip(args.data<float>(0), args.size(0), options);
  }
  return Status::success();
}

}  // namespace receptive::plan
