// SPDX-License-Identifier: Apache-2.0
// Instructions of elementwise arithmetic and sums.
#include "ops/elementwise.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "kernels/select.h"
#include "ops/reduce.h"
#include "plan/opcodes.h"
#include "reference/activations.h"
#include "reference/elementwise.h"

namespace receptive::plan {
namespace {

using Binary = void (*)(float*, const float*, const float*, std::int64_t);
using ReferenceBinary = void (*)(double*, const double*, const double*, std::int64_t);

// (out, a, b)
Status run_binary(const Arguments& args, Binary kernel, ReferenceBinary oracle) {
  const std::int64_t size = args.size(0);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), size));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), size));
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), size));
  if (is_double(args)) {
    oracle(args.data<double>(0), args.data<double>(1), args.data<double>(2), size);
  } else {
    ops::binary(kernel, args.data<float>(0), args.data<float>(1), args.data<float>(2), size);
  }
  return Status::success();
}

Status run_scale(const Arguments& args, double factor) {
  const std::int64_t size = args.size(0);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), size));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), size));
  if (is_double(args)) {
    reference::scale(args.data<double>(0), args.data<double>(1), factor, size);
    return Status::success();
  }
  const auto kernel = kernels().vector->scale;
  float* out = args.data<float>(0);
  const float* in = args.data<float>(1);
  parallel_ranges(size, ops::kElementwiseGrain, [=](std::int64_t begin, std::int64_t end) {
    kernel(out + begin, in + begin, static_cast<float>(factor), end - begin);
  });
  return Status::success();
}

template <typename To, typename From>
void convert(const Arguments& args) {
  const From* in = args.data<From>(1);
  std::transform(in, in + args.size(1), args.data<To>(0), [](From value) { return static_cast<To>(value); });
}

template <typename To>
void convert_to(const Arguments& args) {
  switch (args.dtype(1)) {
    case Dtype::kFloat32:
      return convert<To, float>(args);
    case Dtype::kFloat64:
      return convert<To, double>(args);
    case Dtype::kInt32:
      return convert<To, std::int32_t>(args);
    case Dtype::kUint8:
      return convert<To, std::uint8_t>(args);
  }
}

}  // namespace

// (out; value)
Status fill(const Arguments& args) {
  const double value = args.number(0);
  const std::int64_t size = args.size(0);
  RECEPTIVE_CHECK(args.require(0, args.dtype(0), size));
  switch (args.dtype(0)) {
    case Dtype::kFloat32:
      std::fill_n(args.data<float>(0), size, static_cast<float>(value));
      break;
    case Dtype::kFloat64:
      std::fill_n(args.data<double>(0), size, value);
      break;
    case Dtype::kInt32:
      std::fill_n(args.data<std::int32_t>(0), size, static_cast<std::int32_t>(value));
      break;
    case Dtype::kUint8:
      std::fill_n(args.data<std::uint8_t>(0), size, static_cast<std::uint8_t>(value));
      break;
  }
  return Status::success();
}

// (out, in), any one dtype
Status copy(const Arguments& args) {
  RECEPTIVE_CHECK(args.require(1, args.dtype(0), args.size(0)));
  RECEPTIVE_CHECK(args.require(0, args.dtype(0), args.size(0)));
  if (args.buffer(0).data == args.buffer(1).data) return Status::success();  // planned to lie there
  std::memcpy(args.buffer(0).data, args.buffer(1).data,
              static_cast<std::size_t>(args.size(0)) * dtype_bytes(args.dtype(0)));
  return Status::success();
}

// (out, in) to float32 or float64 from any dtype
Status cast(const Arguments& args) {
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), args.size(0)));
  RECEPTIVE_CHECK(args.require(1, args.dtype(1), args.size(0)));
  if (is_double(args)) {
    convert_to<double>(args);
  } else {
    convert_to<float>(args);
  }
  return Status::success();
}

Status add(const Arguments& args) { return run_binary(args, kernels().vector->add, reference::add); }
Status multiply(const Arguments& args) {
  return run_binary(args, kernels().vector->multiply, reference::multiply);
}

// (out, in; factor)
Status scale(const Arguments& args) { return run_scale(args, args.number(0)); }

// (out, in, factor [1])
Status scale_by(const Arguments& args) {
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), 1));
  return run_scale(args, is_double(args) ? *args.data<double>(2) : static_cast<double>(*args.data<float>(2)));
}

// (out [1], in; factor): factor times the sum of all elements
Status sum(const Arguments& args) {
  const std::int64_t size = args.size(1);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), 1));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), size));
  if (is_double(args)) {
    *args.data<double>(0) = reference::sum(args.data<double>(1), size, args.number(0));
  } else {
    *args.data<float>(0) = ops::sum(args.data<float>(1), size, static_cast<float>(args.number(0)));
  }
  return Status::success();
}

// (in; which): refuses NaN and infinity, so that a step ends before they reach the weights. `which` says what
// it is, for the error: 0 the loss, k the gradient of the optimizer's parameter k - 1.
Status require_finite(const Arguments& args) {
  const std::int64_t size = args.size(0), which = args.integer(0);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), size));
  const bool finite = is_double(args) ? reference::is_finite(args.data<double>(0), size)
                                      : ops::is_finite(args.data<float>(0), size);
  if (finite) return Status::success();
  if (which > 0) {
    return Status::refuse("ERR_NUMERICS", "finite gradients",
                          "NaN or Infinity in that of parameter " + std::to_string(which - 1));
  }
  const double value = is_double(args) ? *args.data<double>(0) : static_cast<double>(*args.data<float>(0));
  return Status::refuse("ERR_NUMERICS", "a finite loss",
                        std::isnan(value) ? "NaN"
                        : value > 0       ? "Infinity"
                                          : "-Infinity");
}

// (out [columns], in [rows][columns]; rows, columns)
Status column_sum(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), columns = args.integer(1);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), columns));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), rows * columns));
  if (is_double(args)) {
    reference::column_sum(args.data<double>(0), args.data<double>(1), rows, columns);
  } else {
    ops::column_sum(args.data<float>(0), args.data<float>(1), rows, columns);
  }
  return Status::success();
}

// (dx, sums [columns], dy, y; rows, columns): the gradient of a ReLU, and its sums over the rows: that of a
// bias
Status relu_backward_sum(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), columns = args.integer(1);
  for (const int whole : {0, 2, 3}) RECEPTIVE_CHECK(args.require(whole, float_dtype(args), rows * columns));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), columns));
  if (is_double(args)) {
    reference::activation_backward<reference::Relu>(args.data<double>(0), args.data<double>(2),
                                                    args.data<double>(3), rows * columns, {});
    reference::column_sum(args.data<double>(1), args.data<double>(0), rows, columns);
  } else {
    ops::relu_backward_sum(args.data<float>(0), args.data<float>(1), args.data<float>(2), args.data<float>(3),
                           rows, columns);
  }
  return Status::success();
}

}  // namespace receptive::plan
