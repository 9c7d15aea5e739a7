// SPDX-License-Identifier: Apache-2.0
// Instructions of group and layer normalisation. Parameters of group normalisation: samples, pixels, groups,
// channels of a group; of layer normalisation: rows, width. In the forward passes eps follows. Weight, bias
// and their gradients have one element a channel, mean and inverse std one for each sample and group.
#include "ops/group_norm.h"

#include "ops/layer_norm.h"
#include "plan/opcodes.h"
#include "reference/group_norm.h"

namespace receptive::plan {
namespace {

Status read_groups(const Arguments& args, ops::GroupNormSize* size) {
  RECEPTIVE_CHECK(args.require_sizes(0, 4, 1));
  *size = {args.integer(0), args.integer(1), args.integer(2), args.integer(3)};
  if (args.number(0) * args.number(1) * args.number(2) * args.number(3) <= 0x1p53) return Status::success();
  return Status::refuse("ERR_SHAPE", "images that can be addressed", "more than 2^53 elements");
}

Status read_rows(const Arguments& args, ops::GroupNormSize* size) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  *size = {args.integer(0), 1, 1, args.integer(1)};
  return Status::success();
}

ops::LayerNormSize rows_of(const ops::GroupNormSize& size) { return {size.samples, size.width}; }

// (y, mean, inverse std, x, weight?, bias?)
Status check_forward(const Arguments& args, const ops::GroupNormSize& size) {
  const Dtype dtype = float_dtype(args);
  for (const int whole : {0, 3}) RECEPTIVE_CHECK(args.require(whole, dtype, size.elements()));
  for (const int statistic : {1, 2}) RECEPTIVE_CHECK(args.require(statistic, dtype, size.statistics()));
  for (const int column : {4, 5}) RECEPTIVE_CHECK(args.allow(column, dtype, size.channels()));
  return Status::success();
}

template <typename Float>
ops::GroupNormOperands<Float> forward_operands(const Arguments& args) {
  return {args.data<Float>(0), args.data<Float>(1), args.data<Float>(2),
          args.data<Float>(3), args.data<Float>(4), args.data<Float>(5)};
}

Dtype gradient_dtype(const Arguments& args) {
  return args.dtype(3) == Dtype::kFloat64 ? Dtype::kFloat64 : Dtype::kFloat32;
}

// (dx?, dweight?, dbias?, dy, x, mean, inverse std, weight?)
Status check_backward(const Arguments& args, const ops::GroupNormSize& size) {
  const Dtype dtype = gradient_dtype(args);
  RECEPTIVE_CHECK(args.allow(0, dtype, size.elements()));
  for (const int whole : {3, 4}) RECEPTIVE_CHECK(args.require(whole, dtype, size.elements()));
  for (const int statistic : {5, 6}) RECEPTIVE_CHECK(args.require(statistic, dtype, size.statistics()));
  for (const int column : {1, 2, 7}) RECEPTIVE_CHECK(args.allow(column, dtype, size.channels()));
  return Status::success();
}

template <typename Float>
ops::GroupNormGradients<Float> gradient_operands(const Arguments& args) {
  return {args.data<Float>(0), args.data<Float>(1), args.data<Float>(2), args.data<Float>(3),
          args.data<Float>(4), args.data<Float>(5), args.data<Float>(6), args.data<Float>(7)};
}

}  // namespace

// (y, mean, inverse std, x, weight?, bias?; samples, pixels, groups, width, eps)
Status group_norm_forward(const Arguments& args) {
  ops::GroupNormSize size;
  RECEPTIVE_CHECK(read_groups(args, &size));
  RECEPTIVE_CHECK(check_forward(args, size));
  if (is_double(args)) {
    reference::group_norm_forward(forward_operands<double>(args), size, args.number(4));
  } else {
    ops::group_norm_forward(forward_operands<float>(args), size, args.number(4));
  }
  return Status::success();
}

// (dx?, dweight?, dbias?, dy, x, mean, inverse std, weight?; samples, pixels, groups, width)
Status group_norm_backward(const Arguments& args) {
  ops::GroupNormSize size;
  RECEPTIVE_CHECK(read_groups(args, &size));
  RECEPTIVE_CHECK(check_backward(args, size));
  if (gradient_dtype(args) == Dtype::kFloat64) {
    reference::group_norm_backward(gradient_operands<double>(args), size);
  } else {
    ops::group_norm_backward(gradient_operands<float>(args), size);
  }
  return Status::success();
}

// (y, mean, inverse std, x, weight?, bias?; rows, width, eps)
Status layer_norm_forward(const Arguments& args) {
  ops::GroupNormSize size;
  RECEPTIVE_CHECK(read_rows(args, &size));
  RECEPTIVE_CHECK(check_forward(args, size));
  if (is_double(args)) {
    reference::group_norm_forward(forward_operands<double>(args), size, args.number(2));
  } else {
    ops::layer_norm_forward(forward_operands<float>(args), rows_of(size), args.number(2));
  }
  return Status::success();
}

// (dx?, dweight?, dbias?, dy, x, mean, inverse std, weight?; rows, width)
Status layer_norm_backward(const Arguments& args) {
  ops::GroupNormSize size;
  RECEPTIVE_CHECK(read_rows(args, &size));
  RECEPTIVE_CHECK(check_backward(args, size));
  if (gradient_dtype(args) == Dtype::kFloat64) {
    reference::group_norm_backward(gradient_operands<double>(args), size);
  } else {
    ops::layer_norm_backward(gradient_operands<float>(args), rows_of(size));
  }
  return Status::success();
}

}  // namespace receptive::plan
