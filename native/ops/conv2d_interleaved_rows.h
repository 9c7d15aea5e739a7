// SPDX-License-Identifier: Apache-2.0
// Rows of the forward pass over batch-interleaved images: a correlation of each, or, for 5x5 kernels, F(2, 5)
// along the row: two outputs by 6 products instead of 10, each a sum over kernel rows and channels.
#pragma once

#include "ops/conv2d.h"
#include "ops/correlate.h"

namespace receptive::ops {

// Whether rows are computed by F(2, 5), by the shape alone.
bool is_row_winograd(const Conv2dGeometry& geometry);

class InterleavedRows {
 public:
  // Packs the weight, into scratch memory of the calling thread.
  InterleavedRows(const float* weight, const float* bias, bool relu, const Conv2dGeometry& geometry);

  // Output rows [first, first + rows) of one block of images; y is the first of them, the rows one behind the
  // other, and x the block.
  void run(float* y, const float* x, std::int64_t first, std::int64_t rows) const;

  std::int64_t y_row() const { return g_.out_w * y_pixel(); }
  std::int64_t x_block() const { return g_.in_h * x_row(); }
  // Rows that a task takes, where it takes multiples of `rows`.
  std::int64_t task_rows(std::int64_t rows) const;

 private:
  std::int64_t x_pixel() const { return g_.in_c * kLanes; }
  std::int64_t x_row() const { return g_.in_w * x_pixel(); }
  std::int64_t y_pixel() const { return g_.out_c * kLanes; }
  void pack_frequencies(float* to, const float* weight, const float* bias);
  void transform_row(float* v, const float* x) const;
  void run_winograd(float* y, const float* x, std::int64_t first, std::int64_t rows) const;

  const Conv2dGeometry g_;
  const float* bias_;
  const bool relu_, is_winograd_;
  // Of the row as it is; or of a row of tiles, once for each frequency, with weights one behind the other.
  Correlation correlation_;
};

}  // namespace receptive::ops
