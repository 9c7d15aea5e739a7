// SPDX-License-Identifier: Apache-2.0
// Instructions that the planner makes of a convolution and the max pool behind it. Parameters are those of
// plan/conv2d.cc.
#include <string>

#include "ops/conv2d_algorithm.h"
#include "ops/conv2d_interleaved.h"
#include "ops/interleave.h"
#include "plan/algorithms.h"
#include "plan/conv2d.h"
#include "plan/opcodes.h"
#include "plan/parameters.h"

namespace receptive::plan {
namespace {

// The pooling behind a convolution, of blocks: a channel is kLanes channels side by side.
Pool2dGeometry pool_of_blocks(const PoolWindow& window, const Conv2dGeometry& g) {
  Pool2dGeometry pool{};
  pool.batch = g.batch / kLanes;
  pool.in_h = g.out_h;
  pool.in_w = g.out_w;
  pool.channels = g.out_c * kLanes;
  pool.out_h = (g.out_h - window.kernel_h) / window.stride_h + 1;
  pool.out_w = (g.out_w - window.kernel_w) / window.stride_w + 1;
  pool.kernel_h = window.kernel_h;
  pool.kernel_w = window.kernel_w;
  pool.stride_h = window.stride_h;
  pool.stride_w = window.stride_w;
  return pool;
}

constexpr std::int64_t kLargestByteWindow = 256;

}  // namespace

// (y?, winners? uint8, yInterleaved?, x, weight, bias?): max pooling of the convolution, whose own result is
// nowhere written. x is interleaved; the pooled images are wanted as NHWC, interleaved, or both.
Status conv2d_max_pool2d(const Arguments& args) {
  Conv2dGeometry g;
  ops::Conv2dChoice choice;
  RECEPTIVE_CHECK(read_convolution(args, &g, &choice));
  bool interleaved = false;
  RECEPTIVE_CHECK(read_layout(args, g, &interleaved));
  const PoolWindow window = pool_window(args);
  if (!interleaved || window.size() == 0 || window.size() > kLargestByteWindow ||
      window.stride_h < window.kernel_h || window.stride_w < window.kernel_w || window.kernel_h > g.out_h ||
      window.kernel_w > g.out_w) {
    return Status::refuse("ERR_ARGUMENT",
                          "interleaved images and separate windows of at most 256 elements inside",
                          std::to_string(window.kernel_h) + "x" + std::to_string(window.kernel_w));
  }
  const Pool2dGeometry pool = pool_of_blocks(window, g);
  const std::int64_t pooled = g.batch * pool.out_h * pool.out_w * g.out_c;
  RECEPTIVE_CHECK(args.allow(0, Dtype::kFloat32, pooled));
  RECEPTIVE_CHECK(args.allow(1, Dtype::kUint8, pooled));
  RECEPTIVE_CHECK(args.allow(2, Dtype::kFloat32, pooled));
  RECEPTIVE_CHECK(args.require(3, Dtype::kFloat32, g.input_size()));
  RECEPTIVE_CHECK(args.require(4, Dtype::kFloat32, g.weight_size()));
  RECEPTIVE_CHECK(args.allow(5, Dtype::kFloat32, g.out_c));
  ops::conv2d_max_pool2d_interleaved({args.data<float>(0), args.data<std::uint8_t>(1), args.data<float>(2)},
                                     args.data<float>(3), args.data<float>(4), args.data<float>(5),
                                     args.number(kConvRelu) != 0, g, pool);
  return Status::success();
}

// (dx?, dweight?, dbias?, dz, winners uint8, x, weight?): the gradients of a convolution from the gradient
// behind its max pool
Status conv2d_winner_gradients(const Arguments& args) {
  Conv2dGeometry g;
  ops::Conv2dChoice choice;
  RECEPTIVE_CHECK(read_convolution(args, &g, &choice));
  const PoolWindow pool = pool_window(args);
  if (!ops::is_for_winners(g, pool)) {
    return Status::refuse("ERR_ARGUMENT", "windows that cover the outputs, and few channels",
                          std::to_string(pool.kernel_h) + "x" + std::to_string(pool.kernel_w));
  }
  const std::int64_t pooled = g.output_size() / pool.size();
  RECEPTIVE_CHECK(args.allow(0, Dtype::kFloat32, g.input_size()));
  RECEPTIVE_CHECK(args.allow(1, Dtype::kFloat32, g.weight_size()));
  RECEPTIVE_CHECK(args.allow(2, Dtype::kFloat32, g.out_c));
  RECEPTIVE_CHECK(args.require(3, Dtype::kFloat32, pooled));
  RECEPTIVE_CHECK(args.require(4, Dtype::kUint8, pooled));
  RECEPTIVE_CHECK(args.require(5, Dtype::kFloat32, g.input_size()));
  RECEPTIVE_CHECK(args.allow(6, Dtype::kFloat32, g.weight_size()));
  if (args.has(0) != args.has(6))
    return Status::refuse("ERR_ARGUMENT", "the weight where the gradient of the input is wanted",
                          "one of both");
  if (args.has(2) && !args.has(1))
    return Status::refuse("ERR_ARGUMENT", "the gradient of the weight beside that of the bias", "none");
  ops::conv2d_winner_gradients(
      {args.data<float>(0), args.data<float>(1), args.data<float>(2), args.data<float>(3),
       args.data<std::uint8_t>(4), args.data<float>(5), args.data<float>(6)},
      g, pool);
  return Status::success();
}

}  // namespace receptive::plan
