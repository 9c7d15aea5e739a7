// SPDX-License-Identifier: Apache-2.0
// Instructions of local response normalisation. Parameters: rows, channels, size, alpha, beta, k; within maps
// n, h, w, c, size, alpha, beta, k.
#include "ops/local_response_norm.h"

#include "plan/opcodes.h"
#include "reference/local_response_norm.h"

namespace receptive::plan {
namespace {

// `at`: the place of the size
ops::LocalResponseNormOptions read_options(const Arguments& args, int at = 2) {
  return {args.integer(at), args.number(at + 1), args.number(at + 2), args.number(at + 3)};
}

ops::ResponseImages read_images(const Arguments& args) {
  return {args.integer(0), args.integer(1), args.integer(2), args.integer(3)};
}

// All `count` operands are [n][h][w][c].
Status check_images(const Arguments& args, int count) {
  RECEPTIVE_CHECK(args.require_sizes(0, 5, 1));
  if (args.number(0) * args.number(1) * args.number(2) * args.number(3) > 0x1p53)
    return Status::refuse("ERR_SHAPE", "images that can be addressed", "more than 2^53 elements");
  const ops::ResponseImages images = read_images(args);
  const std::int64_t elements = images.n * images.h * images.w * images.c;
  for (int i = 0; i < count; ++i) RECEPTIVE_CHECK(args.require(i, float_dtype(args), elements));
  return Status::success();
}

// All `count` operands are [rows][channels].
Status check(const Arguments& args, int count) {
  RECEPTIVE_CHECK(args.require_sizes(0, 3, 1));
  const std::int64_t elements = args.integer(0) * args.integer(1);
  for (int i = 0; i < count; ++i) RECEPTIVE_CHECK(args.require(i, float_dtype(args), elements));
  return Status::success();
}

}  // namespace

// (y, x)
Status local_response_norm_forward(const Arguments& args) {
  RECEPTIVE_CHECK(check(args, 2));
  const std::int64_t rows = args.integer(0), channels = args.integer(1);
  if (is_double(args)) {
    reference::local_response_norm_forward(args.data<double>(0), args.data<double>(1), rows, channels,
                                           read_options(args));
  } else {
    ops::local_response_norm_forward(args.data<float>(0), args.data<float>(1), rows, channels,
                                     read_options(args));
  }
  return Status::success();
}

// (dx, dy, x)
Status local_response_norm_backward(const Arguments& args) {
  RECEPTIVE_CHECK(check(args, 3));
  const std::int64_t rows = args.integer(0), channels = args.integer(1);
  if (is_double(args)) {
    reference::local_response_norm_backward(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                                            rows, channels, read_options(args));
  } else {
    ops::local_response_norm_backward(args.data<float>(0), args.data<float>(1), args.data<float>(2), rows,
                                      channels, read_options(args));
  }
  return Status::success();
}

// (y, x)
Status map_response_norm_forward(const Arguments& args) {
  RECEPTIVE_CHECK(check_images(args, 2));
  if (is_double(args)) {
    reference::map_response_norm_forward(args.data<double>(0), args.data<double>(1), read_images(args),
                                         read_options(args, 4));
  } else {
    ops::map_response_norm_forward(args.data<float>(0), args.data<float>(1), read_images(args),
                                   read_options(args, 4));
  }
  return Status::success();
}

// (dx, dy, x)
Status map_response_norm_backward(const Arguments& args) {
  RECEPTIVE_CHECK(check_images(args, 3));
  if (is_double(args)) {
    reference::map_response_norm_backward(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                                          read_images(args), read_options(args, 4));
  } else {
    ops::map_response_norm_backward(args.data<float>(0), args.data<float>(1), args.data<float>(2),
                                    read_images(args), read_options(args, 4));
  }
  return Status::success();
}

}  // namespace receptive::plan
