// SPDX-License-Identifier: Apache-2.0
// Instructions of the 2-D convolution. Parameters of all of them: batch, inH, inW, inC, outH, outW, outC, kH,
// kW, strideH, strideW, padTop, padLeft; then those of plan/parameters.h: for the forward pass 1 if a ReLU
// follows (0 in the others), how to compute (ops::Conv2dChoice, 0 where it is left to the cost model; float64
// has one way only), 1 if all images are batch-interleaved: a multiple of kLanes of them; and for gradients
// the window and stride (kH, kW, strideH, strideW) of the max pool that dy came through, 0 without one;
// and last dilationH, dilationW, groups, each 1 where it is left out or 0.
#include "plan/conv2d.h"

#include <initializer_list>
#include <string>

#include "kernels/select.h"
#include "ops/conv2d.h"
#include "ops/conv2d_algorithm.h"
#include "ops/conv2d_interleaved.h"
#include "ops/conv2d_interleaved_rows.h"
#include "ops/im2col.h"
#include "ops/interleave.h"
#include "plan/algorithms.h"
#include "plan/opcodes.h"
#include "plan/parameters.h"
#include "reference/conv2d.h"

namespace receptive::plan {
namespace {

double product(std::initializer_list<std::int64_t> sizes) {
  double total = 1;
  for (const std::int64_t size : sizes) total *= static_cast<double>(size);
  return total;
}

// Products of sizes that wrap around 64 bits would pass the size checks of operands.
bool can_be_addressed(const Conv2dGeometry& g) {
  constexpr double kLimit = 0x1p53;
  return product({g.batch, g.in_h, g.in_w, g.in_c}) <= kLimit &&
         product({g.batch, g.out_h, g.out_w, g.out_c}) <= kLimit &&
         product({g.out_c, g.kernel_h, g.kernel_w, g.in_c}) <= kLimit &&
         product({g.batch, g.out_h, g.out_w, g.kernel_h, g.kernel_w, g.in_c}) <= kLimit;
}

// A large padding with as large a stride has few outputs, and yet a zero-bordered image beyond all memory.
bool border_fits(const Conv2dGeometry& g) {
  return product({g.batch, g.padded_h(), g.padded_w(), g.in_c}) < 0x1p31;
}

Status read_geometry(const Arguments& args, Conv2dGeometry* g) {
  RECEPTIVE_CHECK(args.require_sizes(0, 11, 1));
  RECEPTIVE_CHECK(args.require_sizes(11, 2, 0));
  if (args.param_count() > static_cast<int>(kConvDilation))
    RECEPTIVE_CHECK(args.require_sizes(kConvDilation, 3, 0));
  *g = conv2d_geometry(args);
  if (g->in_c % g->groups != 0 || g->out_c % g->groups != 0)
    return Status::refuse("ERR_SHAPE", "channels that " + std::to_string(g->groups) + " groups divide",
                          std::to_string(g->in_c) + " in, " + std::to_string(g->out_c) + " out");
  if (!can_be_addressed(*g))
    return Status::refuse("ERR_SHAPE", "images and patches that can be addressed", "more than 2^53 elements");
  if (border_fits(*g)) return Status::success();
  return Status::refuse("ERR_SHAPE", "a zero-bordered input of fewer than 2^31 elements",
                        std::to_string(g->padded_h()) + "x" + std::to_string(g->padded_w()) + " for " +
                            std::to_string(g->out_h) + "x" + std::to_string(g->out_w) + " outputs");
}

Status read_choice(const Arguments& args, const Conv2dGeometry& g, ops::Conv2dChoice* choice) {
  const double number = args.number(kConvChoice);
  if (!(number >= 0 && number < static_cast<double>(ops::Conv2dChoice::kCount)))
    return Status::refuse("ERR_ARGUMENT", "the number of an algorithm", std::to_string(number));
  *choice = static_cast<ops::Conv2dChoice>(static_cast<int>(number));
  if (ops::can_choose(*choice, g)) return Status::success();
  return Status::refuse(
      "ERR_ARGUMENT",
      "a 3x3 or (not for F(4x4)) 5x5 kernel, stride 1, dilation 1 and one group for Winograd's algorithm",
      std::to_string(g.kernel_h) + "x" + std::to_string(g.kernel_w) + ", stride " +
          std::to_string(g.stride_h) + "x" + std::to_string(g.stride_w) + ", dilation " +
          std::to_string(g.dilation_h) + "x" + std::to_string(g.dilation_w) + ", " +
          std::to_string(g.groups) + " groups");
}

// What was prepared of the weight, if it is what the kernels in use would read.
const float* prepared_weight(const Arguments& args, const Conv2dGeometry& g, ops::Conv2dChoice choice) {
  const bool fits = args.has(kConvPrepared) && args.dtype(kConvPrepared) == Dtype::kFloat32 &&
                    args.size(kConvPrepared) == ops::prepared_weight_size(g, choice);
  return fits ? args.data<float>(kConvPrepared) : nullptr;
}

Status require_one_group(const Conv2dGeometry& g) {
  if (g.groups == 1) return Status::success();
  return Status::refuse("ERR_ARGUMENT", "patches of one group", std::to_string(g.groups) + " groups");
}

}  // namespace

PoolWindow pool_window(const Arguments& args) {
  for (int i = 0; i < 4; ++i) {
    const double size = args.number(static_cast<int>(kConvPool) + i);
    if (!(size >= 1 && size <= 0x1p20)) return {};
  }
  constexpr int kFirst = kConvPool;
  return {args.integer(kFirst), args.integer(kFirst + 1), args.integer(kFirst + 2), args.integer(kFirst + 3)};
}

Status read_layout(const Arguments& args, const Conv2dGeometry& g, bool* interleaved) {
  *interleaved = args.number(kConvInterleaved) != 0;
  const bool plain = g.groups == 1 && !g.is_dilated();
  if (!*interleaved || (!is_double(args) && g.batch % kLanes == 0 && plain)) return Status::success();
  return Status::refuse(
      "ERR_ARGUMENT",
      "float32 images, a multiple of 16, in one group and undilated where they are interleaved",
      std::to_string(g.batch) + " images");
}

Status read_convolution(const Arguments& args, Conv2dGeometry* geometry, ops::Conv2dChoice* choice) {
  RECEPTIVE_CHECK(read_geometry(args, geometry));
  return read_choice(args, *geometry, choice);
}

// (y, x, weight, bias?, residual?, prepared weight?): the residual, of the shape of y, is added before the
// ReLU
Status conv2d_forward(const Arguments& args) {
  Conv2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  bool interleaved = false;
  RECEPTIVE_CHECK(read_layout(args, g, &interleaved));
  const Dtype dtype = float_dtype(args);
  RECEPTIVE_CHECK(args.require(0, dtype, g.output_size()));
  RECEPTIVE_CHECK(args.require(1, dtype, g.input_size()));
  RECEPTIVE_CHECK(args.require(2, dtype, g.weight_size()));
  RECEPTIVE_CHECK(args.allow(3, dtype, g.out_c));
  RECEPTIVE_CHECK(args.allow(kConvResidual, dtype, g.output_size()));
  const bool relu = args.number(kConvRelu) != 0;
  ops::Conv2dChoice choice;
  RECEPTIVE_CHECK(read_choice(args, g, &choice));
  if (args.has(kConvResidual) && (interleaved || !ops::adds_residual(g, kernels(), choice)))
    return Status::refuse("ERR_ARGUMENT", "a residual in a convolution that can add one", "one in another");
  if (is_double(args)) {
    reference::conv2d_forward(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                              args.data<double>(3), args.data<double>(kConvResidual), relu, g);
  } else if (interleaved) {
    ops::conv2d_forward_interleaved(args.data<float>(0), args.data<float>(1), args.data<float>(2),
                                    args.data<float>(3), relu, g);
  } else {
    ops::conv2d_forward(args.data<float>(0), args.data<float>(1), args.data<float>(2), args.data<float>(3),
                        args.data<float>(kConvResidual), relu, g, choice, prepared_weight(args, g, choice));
  }
  return Status::success();
}

// (prepared weight, weight): as conv2d_forward with the same parameters reads it, which may be another way
// since the room for it was made, if another instruction set was chosen; it is not used then
Status prepare_conv2d_weight(const Arguments& args) {
  Conv2dGeometry g;
  ops::Conv2dChoice choice;
  RECEPTIVE_CHECK(read_convolution(args, &g, &choice));
  RECEPTIVE_CHECK(args.require(0, Dtype::kFloat32, args.size(0)));
  RECEPTIVE_CHECK(args.require(1, Dtype::kFloat32, g.weight_size()));
  const std::int64_t size = ops::prepared_weight_size(g, choice);
  if (size > 0 && args.size(0) == size)
    ops::conv2d_prepare_weight(args.data<float>(0), args.data<float>(1), g, choice);
  return Status::success();
}

// (dx, dy, weight)
Status conv2d_grad_input(const Arguments& args) {
  Conv2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  bool interleaved = false;
  RECEPTIVE_CHECK(read_layout(args, g, &interleaved));
  const Dtype dtype = float_dtype(args);
  RECEPTIVE_CHECK(args.require(0, dtype, g.input_size()));
  RECEPTIVE_CHECK(args.require(1, dtype, g.output_size()));
  RECEPTIVE_CHECK(args.require(2, dtype, g.weight_size()));
  ops::Conv2dChoice choice;
  RECEPTIVE_CHECK(read_choice(args, g, &choice));
  if (is_double(args)) {
    reference::conv2d_grad_input(args.data<double>(0), args.data<double>(1), args.data<double>(2), g);
  } else if (interleaved) {
    ops::conv2d_grad_input_interleaved(args.data<float>(0), args.data<float>(1), args.data<float>(2), g);
  } else {
    ops::conv2d_grad_input(args.data<float>(0), args.data<float>(1), args.data<float>(2), g, choice,
                           pool_window(args));
  }
  return Status::success();
}

// (dweight, dbias?, dy, x)
Status conv2d_grad_weight(const Arguments& args) {
  Conv2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  bool interleaved = false;
  RECEPTIVE_CHECK(read_layout(args, g, &interleaved));
  const Dtype dtype = float_dtype(args);
  RECEPTIVE_CHECK(args.require(0, dtype, g.weight_size()));
  RECEPTIVE_CHECK(args.allow(1, dtype, g.out_c));
  RECEPTIVE_CHECK(args.require(2, dtype, g.output_size()));
  RECEPTIVE_CHECK(args.require(3, dtype, g.input_size()));
  ops::Conv2dChoice choice;
  RECEPTIVE_CHECK(read_choice(args, g, &choice));
  if (is_double(args)) {
    reference::conv2d_grad_weight(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                                  args.data<double>(3), g);
  } else if (interleaved) {
    ops::conv2d_grad_weight_interleaved(args.data<float>(0), args.data<float>(1), args.data<float>(2),
                                        args.data<float>(3), g);
  } else {
    ops::conv2d_grad_weight(args.data<float>(0), args.data<float>(1), args.data<float>(2),
                            args.data<float>(3), g, choice, pool_window(args));
  }
  return Status::success();
}

const char* conv2d_algorithm(const char* instruction, const Arguments& args) {
  const std::string name = instruction;
  Conv2dGeometry g;
  ops::Conv2dChoice choice;
  if (name.rfind("conv2d_", 0) != 0 || !read_convolution(args, &g, &choice).ok()) return "";
  if (args.has(0) && is_double(args)) return "float64";
  if (name == "conv2d_forward" || name == "conv2d_max_pool2d") {
    const ops::ForwardAlgorithm algorithm = ops::forward_algorithm(g, kernels(), choice);
    if (algorithm == ops::ForwardAlgorithm::kInterleaved && ops::is_row_winograd(g))
      return "interleaved, rows by F(2, 5)";
    return ops::name_of(algorithm);
  }
  const PoolWindow pool = pool_window(args);
  if (name == "conv2d_grad_input") return ops::name_of(ops::grad_input_algorithm(g, kernels(), choice, pool));
  return ops::name_of(ops::grad_weight_algorithm(g, kernels(), choice, pool));
}

// (columns [pixels][kH * kW * inC], x), in one group
Status im2col(const Arguments& args) {
  Conv2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(require_one_group(g));
  const Dtype dtype = float_dtype(args);
  RECEPTIVE_CHECK(args.require(0, dtype, g.output_pixels() * g.patch()));
  RECEPTIVE_CHECK(args.require(1, dtype, g.input_size()));
  if (is_double(args)) {
    reference::im2col(args.data<double>(0), args.data<double>(1), g);
  } else {
    ops::im2col(args.data<float>(0), args.data<float>(1), g);
  }
  return Status::success();
}

// (dx, columns), in one group
Status col2im(const Arguments& args) {
  Conv2dGeometry g;
  RECEPTIVE_CHECK(read_geometry(args, &g));
  RECEPTIVE_CHECK(require_one_group(g));
  const Dtype dtype = float_dtype(args);
  RECEPTIVE_CHECK(args.require(0, dtype, g.input_size()));
  RECEPTIVE_CHECK(args.require(1, dtype, g.output_pixels() * g.patch()));
  if (is_double(args)) {
    reference::col2im(args.data<double>(0), args.data<double>(1), g);
  } else {
    ops::col2im(args.data<float>(0), args.data<float>(1), g);
  }
  return Status::success();
}

}  // namespace receptive::plan
