// SPDX-License-Identifier: Apache-2.0
// Instructions of cross-entropy. Their parameters: rows, classes, what becomes of the rows' losses
// (ops::Reduction), label smoothing. The loss has one element for each row, or one in all.
#include "ops/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "ops/softmax.h"
#include "plan/opcodes.h"
#include "reference/cross_entropy.h"
#include "reference/softmax.h"

namespace receptive::plan {
namespace {

constexpr std::int64_t kNoLabel = INT64_MIN;  // ignores none

struct Shape {
  std::int64_t rows, classes;
  ops::Reduction reduction;
  double smoothing;

  std::int64_t size() const { return rows * classes; }
  std::int64_t losses() const { return reduction == ops::Reduction::kNone ? rows : 1; }
};

Status read_shape(const Arguments& args, Shape* shape) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const double reduction = args.number(2), smoothing = args.number(3);
  if (reduction != 0 && reduction != 1 && reduction != 2)
    return Status::refuse("ERR_ARGUMENT", "a reduction from 0 to 2", std::to_string(reduction));
  if (!(smoothing >= 0 && smoothing < 1))
    return Status::refuse("ERR_ARGUMENT", "label smoothing from 0 to below 1", std::to_string(smoothing));
  *shape = {args.integer(0), args.integer(1), static_cast<ops::Reduction>(reduction), smoothing};
  return Status::success();
}

// Parameter 4, where there is one.
Status read_ignored(const Arguments& args, std::int64_t* ignored) {
  *ignored = kNoLabel;
  if (args.param_count() <= 4) return Status::success();
  const double value = args.number(4);
  if (!(std::fabs(value) <= 0x1p31 && value == std::floor(value)))
    return Status::refuse("ERR_ARGUMENT", "a whole number as the label to ignore", std::to_string(value));
  *ignored = static_cast<std::int64_t>(value);
  return Status::success();
}

// Refuses labels that are neither in range nor ignored; tells whether any is ignored.
Status require_labels(const std::int32_t* labels, const Shape& shape, std::int64_t ignored, bool* ignores) {
  *ignores = false;
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    if (labels[row] == ignored) {
      *ignores = true;
    } else if (labels[row] < 0 || labels[row] >= shape.classes) {
      return Status::refuse("ERR_DATA", "labels from 0 to " + std::to_string(shape.classes - 1),
                            "label " + std::to_string(labels[row]) + " at row " + std::to_string(row));
    }
  }
  return Status::success();
}

// The plain mean, which most trainings take.
void run_plain(const Arguments& args, const std::int32_t* labels, const Shape& shape) {
  if (is_double(args)) {
    *args.data<double>(0) = reference::softmax_cross_entropy(args.data<double>(1), args.data<double>(2),
                                                             labels, shape.rows, shape.classes);
  } else {
    *args.data<float>(0) = ops::softmax_cross_entropy(args.data<float>(1), args.data<float>(2), labels,
                                                      shape.rows, shape.classes);
  }
}

template <typename Float>
ops::CrossEntropyOptions<Float> options_of(const Arguments& args, int weight, const Shape& shape,
                                           std::int64_t ignored) {
  return {args.data<Float>(weight), shape.reduction, shape.smoothing, ignored};
}

}  // namespace

// (loss, dlogits?, logits, labels int32 [rows], weight? [classes]; ..., ignored label): rows of the ignored
// label count for nothing; without that parameter none is ignored
Status softmax_cross_entropy(const Arguments& args) {
  Shape shape;
  std::int64_t ignored = 0;
  RECEPTIVE_CHECK(read_shape(args, &shape));
  RECEPTIVE_CHECK(read_ignored(args, &ignored));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), shape.losses()));
  RECEPTIVE_CHECK(args.allow(1, float_dtype(args), shape.size()));
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), shape.size()));
  RECEPTIVE_CHECK(args.require(3, Dtype::kInt32, shape.rows));
  RECEPTIVE_CHECK(args.allow(4, float_dtype(args), shape.classes));
  const std::int32_t* labels = args.data<std::int32_t>(3);
  bool ignores = false;
  RECEPTIVE_CHECK(require_labels(labels, shape, ignored, &ignores));
  const bool is_mean = shape.reduction == ops::Reduction::kMean;
  if (is_mean && shape.smoothing == 0 && !args.has(4) && !ignores) {
    run_plain(args, labels, shape);
  } else if (is_double(args)) {
    reference::cross_entropy_labels(args.data<double>(0), args.data<double>(1), args.data<double>(2), labels,
                                    shape.rows, shape.classes, options_of<double>(args, 4, shape, ignored));
  } else {
    ops::cross_entropy_labels(args.data<float>(0), args.data<float>(1), args.data<float>(2), labels,
                              shape.rows, shape.classes, options_of<float>(args, 4, shape, ignored));
  }
  return Status::success();
}

// (loss, dlogits?, dtargets?, logits, targets [rows][classes], weight? [classes]; ...)
Status soft_cross_entropy(const Arguments& args) {
  Shape shape;
  RECEPTIVE_CHECK(read_shape(args, &shape));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), shape.losses()));
  for (const int gradient : {1, 2}) RECEPTIVE_CHECK(args.allow(gradient, float_dtype(args), shape.size()));
  for (const int input : {3, 4}) RECEPTIVE_CHECK(args.require(input, float_dtype(args), shape.size()));
  RECEPTIVE_CHECK(args.allow(5, float_dtype(args), shape.classes));
  if (is_double(args)) {
    reference::cross_entropy_targets(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                                     args.data<double>(3), args.data<double>(4), shape.rows, shape.classes,
                                     options_of<double>(args, 5, shape, kNoLabel));
  } else {
    ops::cross_entropy_targets(args.data<float>(0), args.data<float>(1), args.data<float>(2),
                               args.data<float>(3), args.data<float>(4), shape.rows, shape.classes,
                               options_of<float>(args, 5, shape, kNoLabel));
  }
  return Status::success();
}

// (out, in, factors [rows]; rows, columns): each row times its factor
Status scale_rows(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), columns = args.integer(1);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), rows * columns));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), rows * columns));
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), rows));
  if (is_double(args)) {
    for (std::int64_t i = 0; i < rows * columns; ++i)
      args.data<double>(0)[i] = args.data<double>(1)[i] * args.data<double>(2)[i / columns];
    return Status::success();
  }
  const auto kernel = kernels().loss->scale_rows;
  float* out = args.data<float>(0);
  const float *in = args.data<float>(1), *factors = args.data<float>(2);
  const std::int64_t grain = std::max<std::int64_t>(1, ops::kElementwiseGrain / columns);
  parallel_ranges(rows, grain, [=](std::int64_t begin, std::int64_t end) {
    kernel(out + begin * columns, in + begin * columns, factors + begin, end - begin, columns);
  });
  return Status::success();
}

}  // namespace receptive::plan
