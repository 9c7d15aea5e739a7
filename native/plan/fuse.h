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

// The passes, in plan/fuse_batch_norm.cc.
int fuse_batch_norm_add(Program* program);
void fuse_batch_norm_relu(Program* program, Fusions* fusions);
int fuse_relu_gradient(Program* program);

}  // namespace receptive::plan
