// SPDX-License-Identifier: Apache-2.0
// Instructions of global average pooling. Parameters: batch, pixels of an image, channels.
#include "ops/global_avg_pool.h"

#include "plan/opcodes.h"
#include "reference/global_avg_pool.h"

namespace receptive::plan {
namespace {

Status read_size(const Arguments& args, ops::GlobalPoolSize* size) {
  RECEPTIVE_CHECK(args.require_sizes(0, 3, 1));
  *size = {args.integer(0), args.integer(1), args.integer(2)};
  if (args.number(0) * args.number(1) * args.number(2) <= 0x1p53) return Status::success();
  return Status::refuse("ERR_SHAPE", "images that can be addressed", "more than 2^53 elements");
}

}  // namespace

// (y [batch][channels], x [batch][pixels][channels])
Status global_avg_pool_forward(const Arguments& args) {
  ops::GlobalPoolSize size;
  RECEPTIVE_CHECK(read_size(args, &size));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), size.batch * size.channels));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), size.batch * size.image()));
  if (is_double(args)) {
    reference::global_avg_pool_forward(args.data<double>(0), args.data<double>(1), size);
  } else {
    ops::global_avg_pool_forward(args.data<float>(0), args.data<float>(1), size);
  }
  return Status::success();
}

// (dx, dy)
Status global_avg_pool_backward(const Arguments& args) {
  ops::GlobalPoolSize size;
  RECEPTIVE_CHECK(read_size(args, &size));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), size.batch * size.image()));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), size.batch * size.channels));
  if (is_double(args)) {
    reference::global_avg_pool_backward(args.data<double>(0), args.data<double>(1), size);
  } else {
    ops::global_avg_pool_backward(args.data<float>(0), args.data<float>(1), size);
  }
  return Status::success();
}

}  // namespace receptive::plan
