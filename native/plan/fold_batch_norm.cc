// SPDX-License-Identifier: Apache-2.0
// The instruction that makes one convolution of a convolution and the batch normalisation behind it.
#include <cmath>

#include "plan/opcodes.h"

namespace receptive::plan {
namespace {

// Column c of the normalisation is scale * y + shift, and y = weight[c] · patch + bias[c]. In double
// precision, rounded once.
template <typename Float>
void fold(const Arguments &args, std::int64_t out_c, std::int64_t patch, double eps) {
  const Float *weight = args.data<Float>(2), *bias = args.data<Float>(3);
  const Float *mean = args.data<Float>(4), *variance = args.data<Float>(5);
  const Float *scale_by = args.data<Float>(6), *shift_by = args.data<Float>(7);
  for (std::int64_t c = 0; c < out_c; ++c) {
    const double scale = (scale_by == nullptr ? 1.0 : static_cast<double>(scale_by[c])) /
                         std::sqrt(static_cast<double>(variance[c]) + eps);
    const double from = bias == nullptr ? 0.0 : static_cast<double>(bias[c]);
    const double shift = shift_by == nullptr ? 0.0 : static_cast<double>(shift_by[c]);
    args.data<Float>(1)[c] = static_cast<Float>((from - static_cast<double>(mean[c])) * scale + shift);
    for (std::int64_t i = c * patch; i < (c + 1) * patch; ++i)
      args.data<Float>(0)[i] = static_cast<Float>(static_cast<double>(weight[i]) * scale);
  }
}

}  // namespace

// (weight out [outC][patch], bias out [outC], weight, bias?, running mean, running variance, batch norm's
// weight?, bias?; outC, patch, eps)
Status fold_batch_norm(const Arguments &args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t out_c = args.integer(0), patch = args.integer(1);
  const Dtype dtype = float_dtype(args);
  RECEPTIVE_CHECK(args.require(0, dtype, out_c * patch));
  RECEPTIVE_CHECK(args.require(1, dtype, out_c));
  RECEPTIVE_CHECK(args.require(2, dtype, out_c * patch));
  RECEPTIVE_CHECK(args.allow(3, dtype, out_c));
  RECEPTIVE_CHECK(args.require(4, dtype, out_c));
  RECEPTIVE_CHECK(args.require(5, dtype, out_c));
  RECEPTIVE_CHECK(args.allow(6, dtype, out_c));
  RECEPTIVE_CHECK(args.allow(7, dtype, out_c));
  if (is_double(args)) {
    fold<double>(args, out_c, patch, args.number(2));
  } else {
    fold<float>(args, out_c, patch, args.number(2));
  }
  return Status::success();
}

}  // namespace receptive::plan
