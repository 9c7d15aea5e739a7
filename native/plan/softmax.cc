// SPDX-License-Identifier: Apache-2.0
// Instructions of softmax. Parameters: rows, classes.
#include "ops/softmax.h"

#include "plan/opcodes.h"
#include "reference/softmax.h"

namespace receptive::plan {
namespace {

using RowsOf = void (*)(float*, const float*, std::int64_t, std::int64_t);
using RowsOfTwo = void (*)(float*, const float*, const float*, std::int64_t, std::int64_t);
using ReferenceRowsOf = void (*)(double*, const double*, std::int64_t, std::int64_t);
using ReferenceRowsOfTwo = void (*)(double*, const double*, const double*, std::int64_t, std::int64_t);

// All `count` operands are [rows][classes].
Status require_rows(const Arguments& args, int count) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  for (int i = 0; i < count; ++i)
    RECEPTIVE_CHECK(args.require(i, float_dtype(args), args.integer(0) * args.integer(1)));
  return Status::success();
}

// (y, x)
Status run_forward(const Arguments& args, RowsOf kernel, ReferenceRowsOf oracle) {
  RECEPTIVE_CHECK(require_rows(args, 2));
  const std::int64_t rows = args.integer(0), classes = args.integer(1);
  if (is_double(args)) {
    oracle(args.data<double>(0), args.data<double>(1), rows, classes);
  } else {
    kernel(args.data<float>(0), args.data<float>(1), rows, classes);
  }
  return Status::success();
}

// (dx, dy, y)
Status run_backward(const Arguments& args, RowsOfTwo kernel, ReferenceRowsOfTwo oracle) {
  RECEPTIVE_CHECK(require_rows(args, 3));
  const std::int64_t rows = args.integer(0), classes = args.integer(1);
  if (is_double(args)) {
    oracle(args.data<double>(0), args.data<double>(1), args.data<double>(2), rows, classes);
  } else {
    kernel(args.data<float>(0), args.data<float>(1), args.data<float>(2), rows, classes);
  }
  return Status::success();
}

}  // namespace

Status softmax_forward(const Arguments& args) {
  return run_forward(args, ops::softmax_forward, reference::softmax_forward);
}
Status softmax_backward(const Arguments& args) {
  return run_backward(args, ops::softmax_backward, reference::softmax_backward);
}
Status log_softmax_forward(const Arguments& args) {
  return run_forward(args, ops::log_softmax_forward, reference::log_softmax_forward);
}
Status log_softmax_backward(const Arguments& args) {
  return run_backward(args, ops::log_softmax_backward, reference::log_softmax_backward);
}

}  // namespace receptive::plan
