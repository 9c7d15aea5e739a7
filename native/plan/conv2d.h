// SPDX-License-Identifier: Apache-2.0
// What other parts of the planner, and a profile, may know of a convolution's instructions.
#pragma once

#include <algorithm>
#include <vector>

#include "ops/conv2d.h"
#include "ops/conv2d_winners.h"
#include "plan/arguments.h"
#include "plan/parameters.h"
#include "plan/program.h"

namespace receptive::plan {

// Which way an instruction takes, by its name: "direct", "plane", …; "" for what is no convolution.
const char* conv2d_algorithm(const char* instruction, const Arguments& args);

// The max pool in an instruction's parameters; without a size where there is none, or no such one.
PoolWindow pool_window(const Arguments& args);

// Whether the images are interleaved, which only float32 ones in whole blocks can be.
Status read_layout(const Arguments& args, const Conv2dGeometry& g, bool* interleaved);

// What an instruction's numbers say, unchecked.
inline Conv2dGeometry conv2d_geometry(const Arguments& args) {
  const auto at = [&args](std::size_t i) { return args.integer(static_cast<int>(i)); };
  const auto or_one = [&at](std::size_t i) { return at(i) == 0 ? 1 : at(i); };
  return {at(0),
          at(1),
          at(2),
          at(3),
          at(4),
          at(5),
          at(6),
          at(7),
          at(8),
          at(9),
          at(10),
          at(11),
          at(12),
          or_one(kConvDilation),
          or_one(kConvDilation + 1),
          or_one(kConvGroups)};
}
inline Conv2dGeometry conv2d_geometry(const Recorded& instruction) {
  const std::vector<double>& params = instruction.params;
  return conv2d_geometry(Arguments(nullptr, 0, params.data(), static_cast<int>(params.size())));
}

// Whether the numbers are sizes at all: those of a wrong recording are refused when it runs.
inline bool has_geometry(const Recorded& conv) {
  return conv.params.size() >= 13 && std::all_of(conv.params.begin(), conv.params.end(),
                                                 [](double size) { return size >= 0 && size <= 0x1p20; });
}

}  // namespace receptive::plan
