// SPDX-License-Identifier: Apache-2.0
#include "ops/interleave.h"

#include <algorithm>

#include "kernels/select.h"
#include "runtime/parallel_for.h"

namespace receptive::ops {
namespace {

// Elements of a block that a task moves: 64 KiB on each side, about 4 µs.
constexpr std::int64_t kGrain = 1024;

// body(block, first element, elements, images of the block)
template <typename Body>
void for_pieces(std::int64_t batch, std::int64_t elements, const Body& body) {
  const std::int64_t pieces = (elements + kGrain - 1) / kGrain;
  parallel_for(blocks_of(batch) * pieces, [&](std::int64_t task) {
    const std::int64_t block = task / pieces, first = task % pieces * kGrain;
    body(block, first, std::min(kGrain, elements - first), std::min(kLanes, batch - block * kLanes));
  });
}

}  // namespace

void interleave(float* to, const float* from, std::int64_t batch, std::int64_t elements) {
  const auto kernel = kernels().interleaved->interleave;
  for_pieces(batch, elements,
             [&](std::int64_t block, std::int64_t first, std::int64_t count, std::int64_t images) {
               kernel(to + (block * elements + first) * kLanes, from + block * kLanes * elements + first,
                      elements, images, count);
             });
}

void deinterleave(float* to, const float* from, std::int64_t batch, std::int64_t elements) {
  const auto kernel = kernels().interleaved->deinterleave;
  for_pieces(batch, elements,
             [&](std::int64_t block, std::int64_t first, std::int64_t count, std::int64_t images) {
               kernel(to + block * kLanes * elements + first, from + (block * elements + first) * kLanes,
                      elements, images, count);
             });
}

}  // namespace receptive::ops
