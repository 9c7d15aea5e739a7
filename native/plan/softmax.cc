// SPDX-License-Identifier: Apache-2.0
// Instructions of softmax, cross-entropy and classification. Parameters of those on rows: rows, classes.
#include "ops/softmax.h"

#include "ops/classify.h"
#include "plan/opcodes.h"
#include "reference/softmax.h"

namespace receptive::plan {

// (y, x)
Status softmax_forward(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), classes = args.integer(1);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), rows * classes));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), rows * classes));
  if (is_double(args)) {
    reference::softmax_forward(args.data<double>(0), args.data<double>(1), rows, classes);
  } else {
    ops::softmax_forward(args.data<float>(0), args.data<float>(1), rows, classes);
  }
  return Status::success();
}

// (dx, dy, y)
Status softmax_backward(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), classes = args.integer(1);
  for (int i = 0; i < 3; ++i) RECEPTIVE_CHECK(args.require(i, float_dtype(args), rows * classes));
  if (is_double(args)) {
    reference::softmax_backward(args.data<double>(0), args.data<double>(1), args.data<double>(2), rows,
                                classes);
  } else {
    ops::softmax_backward(args.data<float>(0), args.data<float>(1), args.data<float>(2), rows, classes);
  }
  return Status::success();
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
