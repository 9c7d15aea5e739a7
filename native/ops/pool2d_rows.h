// SPDX-License-Identifier: Apache-2.0
// How the poolings split their work: by rows of images, by shape alone.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/pool2d_kernels.h"
#include "ops/elementwise.h"

namespace receptive::ops {

// body(image, row) for the rows of all images, in tasks of at least kElementwiseGrain elements touched
template <typename Body>
void for_rows(const Pool2dGeometry& g, std::int64_t rows, const Body& body) {
  const std::int64_t touched = std::max<std::int64_t>(1, std::max(g.in_image(), g.out_image()) / rows);
  const std::int64_t grain = std::max<std::int64_t>(1, kElementwiseGrain / touched);
  parallel_ranges(g.batch * rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i / rows, i % rows);
  });
}

}  // namespace receptive::ops
