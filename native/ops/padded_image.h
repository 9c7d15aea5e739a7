// SPDX-License-Identifier: Apache-2.0
// Zero-bordered copies of images, for kernels that read whole patches.
#pragma once

#include "ops/conv2d.h"

namespace receptive::ops {

// True if no output reads outside x and x has no rows or columns beyond the last patch of a width that would
// differ: then x itself serves as its zero-bordered copy.
inline bool is_padded_already(const Conv2dGeometry& g) {
  return g.pad_top == 0 && g.pad_left == 0 && g.padded_h() <= g.in_h && g.padded_w() <= g.in_w;
}

// Pixels per row and rows per image of the zero-bordered batch, be it x itself or the copy.
struct PaddedBatch {
  const float* data;
  std::int64_t height, width;
};

// x itself where possible, else a copy in the calling thread's workspace (Slot::kPadded).
PaddedBatch padded_batch(const float* x, const Conv2dGeometry& geometry);

// Copies the part of zero-bordered image `padded` [padded_h, padded_w, c] that lies inside dx [in_h, in_w,
// in_c]; what no output reads becomes zero.
void crop_padded(float* dx, const float* padded, const Conv2dGeometry& geometry);

}  // namespace receptive::ops
