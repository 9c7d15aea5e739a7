// SPDX-License-Identifier: Apache-2.0
// Instructions between layouts of a batch of images, [batch][elements] and [blocks][elements][kLanes].
// Parameters: batch, elements of an image. Outputs first.
#include "ops/interleave.h"

#include "plan/opcodes.h"

namespace receptive::plan {
namespace {

Status read_batch(const Arguments& args, int interleaved, int apart) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t batch = args.integer(0), elements = args.integer(1);
  RECEPTIVE_CHECK(args.require(interleaved, Dtype::kFloat32, ops::interleaved_size(batch, elements)));
  return args.require(apart, Dtype::kFloat32, batch * elements);
}

}  // namespace

// (interleaved, images)
Status interleave(const Arguments& args) {
  RECEPTIVE_CHECK(read_batch(args, 0, 1));
  ops::interleave(args.data<float>(0), args.data<float>(1), args.integer(0), args.integer(1));
  return Status::success();
}

// (images, interleaved)
Status deinterleave(const Arguments& args) {
  RECEPTIVE_CHECK(read_batch(args, 1, 0));
  ops::deinterleave(args.data<float>(0), args.data<float>(1), args.integer(0), args.integer(1));
  return Status::success();
}

}  // namespace receptive::plan
