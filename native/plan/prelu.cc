// SPDX-License-Identifier: Apache-2.0
// Instructions of PReLU. Parameters: rows, channels. The weight has one element or one a channel.
#include "ops/prelu.h"

#include "plan/opcodes.h"
#include "reference/prelu.h"

namespace receptive::plan {
namespace {

Status read_size(const Arguments& args, int weight, ops::PReluSize* size) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t channels = args.integer(1);
  *size = {args.integer(0), channels, args.size(weight) == 1 ? 1 : channels};
  return Status::success();
}

}  // namespace

// (y, x, weight)
Status prelu_forward(const Arguments& args) {
  ops::PReluSize size;
  RECEPTIVE_CHECK(read_size(args, 2, &size));
  for (const int whole : {0, 1}) RECEPTIVE_CHECK(args.require(whole, float_dtype(args), size.elements()));
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), size.weights));
  if (is_double(args)) {
    reference::prelu_forward(args.data<double>(0), args.data<double>(1), args.data<double>(2), size);
  } else {
    ops::prelu_forward(args.data<float>(0), args.data<float>(1), args.data<float>(2), size);
  }
  return Status::success();
}

// (dx?, dweight?, dy, x, weight)
Status prelu_backward(const Arguments& args) {
  ops::PReluSize size;
  RECEPTIVE_CHECK(read_size(args, 4, &size));
  const Dtype dtype = args.dtype(2) == Dtype::kFloat64 ? Dtype::kFloat64 : Dtype::kFloat32;
  RECEPTIVE_CHECK(args.allow(0, dtype, size.elements()));
  RECEPTIVE_CHECK(args.allow(1, dtype, size.weights));
  for (const int whole : {2, 3}) RECEPTIVE_CHECK(args.require(whole, dtype, size.elements()));
  RECEPTIVE_CHECK(args.require(4, dtype, size.weights));
  if (dtype == Dtype::kFloat64) {
    reference::prelu_backward(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                              args.data<double>(3), args.data<double>(4), size);
  } else {
    ops::prelu_backward(args.data<float>(0), args.data<float>(1), args.data<float>(2), args.data<float>(3),
                        args.data<float>(4), size);
  }
  return Status::success();
}

}  // namespace receptive::plan
