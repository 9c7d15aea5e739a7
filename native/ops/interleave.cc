// SPDX-License-Identifier: Apache-2.0
#include "ops/interleave.h"

#include <algorithm>
#include <cstring>

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

// Byte j of rows[i] and byte i of rows[j] change places: quarters of the square, then of those, then pairs.
void transpose_bytes(std::uint64_t rows[8]) {
  constexpr std::uint64_t kMasks[3] = {0x00000000ffffffff, 0x0000ffff0000ffff, 0x00ff00ff00ff00ff};
  for (int level = 0, half = 4; half > 0; ++level, half /= 2) {
    for (int i = 0; i < 8; ++i) {
      if ((i & half) != 0) continue;
      const std::uint64_t moved = (rows[i] >> (8 * half) ^ rows[i + half]) & kMasks[level];
      rows[i + half] ^= moved;
      rows[i] ^= moved << (8 * half);
    }
  }
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

void deinterleave_bytes(std::uint8_t* to, const std::uint8_t* from, std::int64_t image_step,
                        std::int64_t elements) {
  std::int64_t e = 0;
  for (; e + 8 <= elements; e += 8) {
    for (std::int64_t lane = 0; lane < kLanes; lane += 8) {
      std::uint64_t square[8];
      for (int i = 0; i < 8; ++i) std::memcpy(&square[i], from + (e + i) * kLanes + lane, 8);
      transpose_bytes(square);
      for (int i = 0; i < 8; ++i) std::memcpy(to + (lane + i) * image_step + e, &square[i], 8);
    }
  }
  for (; e < elements; ++e) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) to[lane * image_step + e] = from[e * kLanes + lane];
  }
}

}  // namespace receptive::ops
