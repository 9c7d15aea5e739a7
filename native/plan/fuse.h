// SPDX-License-Identifier: Apache-2.0
// Rewrites of a recorded step that leave every bit as it is and save passes over memory.
#pragma once

#include <map>
#include <string>

#include "plan/program.h"

namespace receptive::plan {

// How often each kind of fusion was found, by the name under which a plan describes it.
using Fusions = std::map<std::string, int>;

Fusions fuse(Program* program);

// The passes. In plan/simplify.cc: sums in place become sums into buffers of their own, which the passes see
// through and the memory plan puts back in place; copies go where both names may stand for one buffer.
void name_sums(Program* program);
int leave_out_copies(Program* program);
// In plan/fuse_conv.cc.
int fuse_conv_relu(Program* program);
void fuse_conv_add(Program* program, Fusions* fusions);
// In plan/fuse_relu_gradient.cc.
void fuse_join_gradients(Program* program, Fusions* fusions);
int pool_before_relu_gradient(Program* program);
int fuse_relu_gradient_sum(Program* program);
// In plan/fuse_batch_norm.cc.
int fuse_batch_norm_add(Program* program);
void fuse_batch_norm_relu(Program* program, Fusions* fusions);
int fuse_relu_gradient(Program* program);
// In plan/fuse_max_pool.cc.
int fuse_conv_max_pool(Program* program);
// In plan/fuse_winners.cc.
int fuse_winner_gradients(Program* program);

}  // namespace receptive::plan
