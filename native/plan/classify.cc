// SPDX-License-Identifier: Apache-2.0
// Instructions of classification: classes from scores, what is counted of them, rows from labels.
#include "ops/classify.h"

#include "plan/opcodes.h"

namespace receptive::plan {
namespace {

Dtype float_dtype_of(const Arguments& args, int i) {
  return args.dtype(i) == Dtype::kFloat64 ? Dtype::kFloat64 : Dtype::kFloat32;
}

}  // namespace

// (out int32 [rows], x; rows, columns)
Status argmax(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), columns = args.integer(1);
  const Dtype dtype = float_dtype_of(args, 1);
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

// (ranks int32 [rows], x, labels int32 [rows]; rows, columns): how many classes come before the label, by
// score and, where scores are equal, by number: 0 where argmax is the label
Status label_rank(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), columns = args.integer(1);
  const Dtype dtype = float_dtype_of(args, 1);
  RECEPTIVE_CHECK(args.require(0, Dtype::kInt32, rows));
  RECEPTIVE_CHECK(args.require(1, dtype, rows * columns));
  RECEPTIVE_CHECK(args.require(2, Dtype::kInt32, rows));
  const std::int32_t* labels = args.data<std::int32_t>(2);
  RECEPTIVE_CHECK(require_range("label", "row", labels, rows, columns));
  if (dtype == Dtype::kFloat64) {
    ops::label_rank(args.data<std::int32_t>(0), args.data<double>(1), labels, rows, columns);
  } else {
    ops::label_rank(args.data<std::int32_t>(0), args.data<float>(1), labels, rows, columns);
  }
  return Status::success();
}

// (out [rows], x; rows, columns): the largest probability of softmax(x) in each row
Status confidence(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), columns = args.integer(1);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), rows));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), rows * columns));
  if (is_double(args)) {
    ops::confidence(args.data<double>(0), args.data<double>(1), rows, columns);
  } else {
    ops::confidence(args.data<float>(0), args.data<float>(1), rows, columns);
  }
  return Status::success();
}

// (out [rows][classes], labels int32 [rows]; rows, classes): 1 at each row's label, else 0
Status one_hot(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), classes = args.integer(1);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), rows * classes));
  RECEPTIVE_CHECK(args.require(1, Dtype::kInt32, rows));
  const std::int32_t* labels = args.data<std::int32_t>(1);
  RECEPTIVE_CHECK(require_range("label", "row", labels, rows, classes));
  if (is_double(args)) {
    ops::one_hot(args.data<double>(0), labels, rows, classes);
  } else {
    ops::one_hot(args.data<float>(0), labels, rows, classes);
  }
  return Status::success();
}

}  // namespace receptive::plan
