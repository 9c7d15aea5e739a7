// SPDX-License-Identifier: Apache-2.0
// The instruction of losses of numbers.
#include "ops/pointwise_loss.h"

#include <cmath>

#include "plan/opcodes.h"
#include "reference/pointwise_loss.h"

namespace receptive::plan {
namespace {

constexpr int kWeight = 5, kPositive = 6;  // operands

// Parameter `inner` says how many elements in a row share a weight; the operand's size, after how many
// weights they begin again.
template <typename Float>
ops::RepeatedWeight<Float> weight_of(const Arguments& args, int operand, int inner) {
  return {args.data<Float>(operand), args.integer(inner), args.size(operand)};
}

template <typename Float>
ops::PointwiseOptions<Float> options_of(const Arguments& args) {
  const auto kind = static_cast<PointwiseLoss>(args.integer(0));
  return {kind,
          args.number(1) == 1,
          args.number(2),
          args.number(3),
          weight_of<Float>(args, kWeight, 4),
          weight_of<Float>(args, kPositive, 5)};
}

}  // namespace

// (loss, dinput?, dtarget?, input, target, weight?, positive?; kind (PointwiseLoss), whether all losses are
// added up, delta, factor, elements that share a weight, elements that share a positive weight)
Status pointwise_loss(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 0));
  const std::int64_t size = args.size(3);
  if (args.integer(0) >= kPointwiseLosses || args.integer(1) > 1)
    return Status::refuse("ERR_ARGUMENT", "a known loss", std::to_string(args.integer(0)));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), args.integer(1) == 1 ? 1 : size));
  for (const int gradient : {1, 2}) RECEPTIVE_CHECK(args.allow(gradient, float_dtype(args), size));
  for (const int input : {3, 4}) RECEPTIVE_CHECK(args.require(input, float_dtype(args), size));
  for (const int weight : {kWeight, kPositive}) {
    if (!args.has(weight)) continue;
    if (args.size(weight) < 1) return Status::refuse("ERR_SHAPE", "at least one weight", "none");
    RECEPTIVE_CHECK(args.require(weight, float_dtype(args), args.size(weight)));
    RECEPTIVE_CHECK(args.require_sizes(4 + weight - kWeight, 1, 1));
  }
  if (is_double(args)) {
    reference::pointwise_loss(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                              args.data<double>(3), args.data<double>(4), size, options_of<double>(args));
  } else {
    ops::pointwise_loss(args.data<float>(0), args.data<float>(1), args.data<float>(2), args.data<float>(3),
                        args.data<float>(4), size, options_of<float>(args));
  }
  return Status::success();
}

}  // namespace receptive::plan
