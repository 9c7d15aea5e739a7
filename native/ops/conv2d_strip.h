// SPDX-License-Identifier: Apache-2.0
// Strips: what a band of output rows reads of the zero-bordered images, cut to a block of channels so that it
// stays in the near cache while all taps of the kernel pass over it. A tap is then a shift of a pointer.
#pragma once

#include "kernels/kernel_table.h"
#include "ops/conv2d.h"

namespace receptive::ops {

// Output rows are counted through the whole batch: row n * out_h + oy.
struct StripShape {
  StripShape(const Conv2dGeometry& geometry, std::int64_t channels, std::int64_t band_rows);

  Conv2dGeometry geometry;
  std::int64_t channels;                     // floats per pixel
  std::int64_t height_step, width_step;      // strip rows and pixels from one output to the next
  std::int64_t source_height, source_width;  // image rows and pixels from one strip row or pixel to the next
  std::int64_t width;                        // pixels per strip row
  std::int64_t size;                         // floats, with room to read the last vector whole

  std::int64_t row_floats() const { return width * channels; }
  // Outputs lie as dense in a strip as in memory: a band is one run.
  bool is_dense() const { return geometry.kernel_h == 1 && geometry.kernel_w == 1; }

  // Writes channels [channel, channel + count) of what output rows [first, first + rows) read; pixels are
  // `count` floats apart. starts[r] is where the patches of output row first + r begin, in floats.
  void fill(float* strip, std::int64_t* starts, const float* x, std::int64_t channel, std::int64_t count,
            std::int64_t first, std::int64_t rows, const ImageKernels& kernels) const;
};

}  // namespace receptive::ops
