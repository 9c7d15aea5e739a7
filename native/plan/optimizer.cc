// SPDX-License-Identifier: Apache-2.0
// Instructions that update a parameter tensor in place.
#include "ops/optimizer.h"

#include "plan/opcodes.h"
#include "reference/optimizer.h"

namespace receptive::plan {

// (parameter, gradient, velocity?; learning rate, momentum, dampening, weight decay, nesterov, first step)
Status sgd_update(const Arguments& args) {
  const std::int64_t size = args.size(0);
  const ops::SgdOptions options = {args.number(0), args.number(1),      args.number(2),
                                   args.number(3), args.number(4) != 0, args.number(5) != 0};
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), size));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), size));
  if (options.momentum != 0) RECEPTIVE_CHECK(args.require(2, float_dtype(args), size));
  RECEPTIVE_CHECK(args.allow(2, float_dtype(args), size));
  if (is_double(args)) {
    reference::sgd_update(args.data<double>(0), args.data<double>(1), args.data<double>(2), size, options);
  } else {
    ops::sgd_update(args.data<float>(0), args.data<float>(1), args.data<float>(2), size, options);
  }
  return Status::success();
}

// (parameter, gradient, mean, square; learning rate, beta1, beta2, epsilon, weight decay, decoupled, step
// number from 1)
Status adam_update(const Arguments& args) {
  const std::int64_t size = args.size(0);
  const ops::AdamOptions options = {args.number(0), args.number(1),      args.number(2), args.number(3),
                                    args.number(4), args.number(5) != 0, args.number(6)};
  RECEPTIVE_CHECK(args.require_sizes(6, 1, 1));
  for (int i = 0; i < 4; ++i) RECEPTIVE_CHECK(args.require(i, float_dtype(args), size));
  if (is_double(args)) {
    reference::adam_update(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                           args.data<double>(3), size, options);
  } else {
    ops::adam_update(args.data<float>(0), args.data<float>(1), args.data<float>(2), args.data<float>(3), size,
                     options);
  }
  return Status::success();
}

}  // namespace receptive::plan
