// SPDX-License-Identifier: Apache-2.0
// Instructions of softmax, cross-entropy and classification. Parameters of those on rows: rows, classes.
#include "ops/softmax.h"

#include "ops/classify.h"
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

// (loss [1], dlogits?, logits, labels int32 [rows]): the mean loss, and its gradient unless left out
Status softmax_cross_entropy(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), classes = args.integer(1);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), 1));
  RECEPTIVE_CHECK(args.allow(1, float_dtype(args), rows * classes));
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), rows * classes));
  RECEPTIVE_CHECK(args.require(3, Dtype::kInt32, rows));
  const std::int32_t* labels = args.data<std::int32_t>(3);
  RECEPTIVE_CHECK(require_range("label", "row", labels, rows, classes));
  if (is_double(args)) {
    *args.data<double>(0) =
        reference::softmax_cross_entropy(args.data<double>(1), args.data<double>(2), labels, rows, classes);
  } else {
    *args.data<float>(0) =
        ops::softmax_cross_entropy(args.data<float>(1), args.data<float>(2), labels, rows, classes);
  }
  return Status::success();
}

// (out int32 [rows], x; rows, columns)
Status argmax(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), columns = args.integer(1);
  const Dtype dtype = args.dtype(1) == Dtype::kFloat64 ? Dtype::kFloat64 : Dtype::kFloat32;
  RECEPTIVE_CHECK(args.require(0, Dtype::kInt32, rows));
  RECEPTIVE_CHECK(args.require(1, dtype, rows * columns));
  if (dtype == Dtype::kFloat64) {
    ops::argmax(args.data<std::int32_t>(0), args.data<double>(1), rows, columns);
  } else {
    ops::argmax(args.data<std::int32_t>(0), args.data<float>(1), rows, columns);
  }
  return Status::success();
}

// (out int32 [1], a int32, b int32): at how many places a and b are equal
Status count_equal(const Arguments& args) {
  const std::int64_t size = args.size(1);
  RECEPTIVE_CHECK(args.require(0, Dtype::kInt32, 1));
  RECEPTIVE_CHECK(args.require(1, Dtype::kInt32, size));
  RECEPTIVE_CHECK(args.require(2, Dtype::kInt32, size));
  *args.data<std::int32_t>(0) =
      ops::count_equal(args.data<std::int32_t>(1), args.data<std::int32_t>(2), size);
  return Status::success();
}

}  // namespace receptive::plan
