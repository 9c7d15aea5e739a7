// SPDX-License-Identifier: Apache-2.0
// Instructions of batch normalisation. The first parameters of all of them: rows (pixels of all images),
// channels. Operands without a remark have [channels] elements.
#include "ops/batch_norm.h"

#include "plan/opcodes.h"
#include "reference/batch_norm.h"

namespace receptive::plan {
namespace {

ops::BatchNormSize read_size(const Arguments& args) { return {args.integer(0), args.integer(1)}; }

// Operands first..first+count-1 must be there, or (`optional`) may be left out.
Status require_columns(const Arguments& args, Dtype dtype, int first, int count, bool optional) {
  for (int i = first; i < first + count; ++i) {
    RECEPTIVE_CHECK(optional ? args.allow(i, dtype, args.integer(1))
                             : args.require(i, dtype, args.integer(1)));
  }
  return Status::success();
}

template <typename Float>
ops::BatchNormOperands<Float> forward_operands(const Arguments& args, int x, int relu_param) {
  return {args.data<Float>(0), args.data<Float>(1), args.data<Float>(2), args.data<Float>(x),
          args.data<Float>(6), args.data<Float>(7), args.data<Float>(8), args.number(relu_param) != 0};
}

template <typename Float>
ops::RunningStatistics<Float> running_statistics(const Arguments& args) {
  return {args.data<Float>(3), args.data<Float>(4), args.number(3)};
}

template <typename Float>
ops::BatchNormGradients<Float> gradient_operands(const Arguments& args) {
  return {args.data<Float>(0), args.data<Float>(1), args.data<Float>(2), args.data<Float>(3),
          args.data<Float>(4), args.data<Float>(5), args.data<Float>(6), args.data<Float>(7),
          args.data<Float>(8), args.number(2) != 0};
}

template <typename Float>
ops::BatchNormGradients<Float> join_operands(const Arguments& args) {
  return {args.data<Float>(0), args.data<Float>(1), args.data<Float>(2), args.data<Float>(4),
          args.data<Float>(7), args.data<Float>(8), args.data<Float>(9), args.data<Float>(10),
          args.data<Float>(6), args.number(2) != 0, args.data<Float>(5), args.data<Float>(3)};
}

}  // namespace

// (y, mean, inverse std, running mean?, running variance?, x, weight?, bias?, residual?; rows, channels, eps,
// momentum, 1 if a ReLU follows): with the statistics of the batch, which go into the running ones. y, x and
// the residual, which is added to y, are [rows][channels].
Status batch_norm_forward(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 1, 2));
  RECEPTIVE_CHECK(args.require_sizes(1, 1, 1));
  const ops::BatchNormSize size = read_size(args);
  const Dtype dtype = float_dtype(args);
  RECEPTIVE_CHECK(args.require(0, dtype, size.elements()));
  RECEPTIVE_CHECK(args.require(5, dtype, size.elements()));
  RECEPTIVE_CHECK(require_columns(args, dtype, 1, 2, false));
  RECEPTIVE_CHECK(require_columns(args, dtype, 3, 2, true));
  RECEPTIVE_CHECK(require_columns(args, dtype, 6, 2, true));
  RECEPTIVE_CHECK(args.allow(8, dtype, size.elements()));
  if (is_double(args)) {
    reference::batch_norm_forward(forward_operands<double>(args, 5, 4), running_statistics<double>(args),
                                  size, args.number(2));
  } else {
    ops::batch_norm_forward(forward_operands<float>(args, 5, 4), running_statistics<float>(args), size,
                            args.number(2));
  }
  return Status::success();
}

// (y, mean, inverse std, x, running mean, running variance, weight?, bias?, residual?; rows, channels,
// eps, 1 if a ReLU follows): with the running statistics; mean and inverse std are those, as they were, for
// the backward pass.
Status batch_norm_eval(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const ops::BatchNormSize size = read_size(args);
  const Dtype dtype = float_dtype(args);
  RECEPTIVE_CHECK(args.require(0, dtype, size.elements()));
  RECEPTIVE_CHECK(args.require(3, dtype, size.elements()));
  RECEPTIVE_CHECK(require_columns(args, dtype, 1, 2, false));
  RECEPTIVE_CHECK(require_columns(args, dtype, 4, 2, false));
  RECEPTIVE_CHECK(require_columns(args, dtype, 6, 2, true));
  RECEPTIVE_CHECK(args.allow(8, dtype, size.elements()));
  if (is_double(args)) {
    reference::batch_norm_eval(forward_operands<double>(args, 3, 3), args.data<double>(4),
                               args.data<double>(5), size, args.number(2));
  } else {
    ops::batch_norm_eval(forward_operands<float>(args, 3, 3), args.data<float>(4), args.data<float>(5), size,
                         args.number(2));
  }
  return Status::success();
}

// (dx?, dweight?, dbias?, dy, x, mean, inverse std, weight?, output of a ReLU that followed?; rows, channels,
// 1 if the statistics are those of the batch)
Status batch_norm_backward(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const ops::BatchNormSize size = read_size(args);
  const Dtype dtype = args.dtype(3) == Dtype::kFloat64 ? Dtype::kFloat64 : Dtype::kFloat32;
  RECEPTIVE_CHECK(args.allow(0, dtype, size.elements()));
  RECEPTIVE_CHECK(require_columns(args, dtype, 1, 2, true));
  RECEPTIVE_CHECK(args.require(3, dtype, size.elements()));
  RECEPTIVE_CHECK(args.require(4, dtype, size.elements()));
  RECEPTIVE_CHECK(require_columns(args, dtype, 5, 2, false));
  RECEPTIVE_CHECK(require_columns(args, dtype, 7, 1, true));
  RECEPTIVE_CHECK(args.allow(8, dtype, size.elements()));
  if (dtype == Dtype::kFloat64) {
    reference::batch_norm_backward(gradient_operands<double>(args), size);
  } else {
    ops::batch_norm_backward(gradient_operands<float>(args), size);
  }
  return Status::success();
}

// (dx?, dweight?, dbias?, gradient behind the ReLU's input, dy, second dy?, output of the ReLU, x, mean,
// inverse std, weight?; rows, channels, 1 if the statistics are those of the batch): where the ReLU behind
// has several readers, or its input has. The two dy are added, and what passes the ReLU is kept.
Status batch_norm_join_backward(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const ops::BatchNormSize size = read_size(args);
  const Dtype dtype = args.dtype(3) == Dtype::kFloat64 ? Dtype::kFloat64 : Dtype::kFloat32;
  RECEPTIVE_CHECK(args.allow(0, dtype, size.elements()));
  RECEPTIVE_CHECK(require_columns(args, dtype, 1, 2, true));
  for (const int whole : {3, 4, 6, 7}) RECEPTIVE_CHECK(args.require(whole, dtype, size.elements()));
  RECEPTIVE_CHECK(args.allow(5, dtype, size.elements()));
  RECEPTIVE_CHECK(require_columns(args, dtype, 8, 2, false));
  RECEPTIVE_CHECK(require_columns(args, dtype, 10, 1, true));
  if (dtype == Dtype::kFloat64) {
    reference::batch_norm_backward(join_operands<double>(args), size);
  } else {
    ops::batch_norm_backward(join_operands<float>(args), size);
  }
  return Status::success();
}

}  // namespace receptive::plan
