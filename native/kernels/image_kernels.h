// SPDX-License-Identifier: Apache-2.0
// Contracts of the kernels that move image patches to matrix rows and back. They work on zero-bordered
// images, where the patch of every pixel exists whole: for each kernel row one contiguous run of kernel width
// times channels.
#pragma once

#include <cstdint>

namespace receptive {

// `length` floats that lie at `image` from a patch's first element and at `column` in its matrix row.
struct PatchRun {
  std::int64_t image;
  std::int64_t column;
  std::int64_t length;
};

struct ImageKernels {
  // For each of `pixels` patches, `pixel_step` floats apart: columns[p * column_stride + run.column ...] =
  // the run
  void (*im2col)(float* columns, std::int64_t column_stride, const float* image, std::int64_t pixel_step,
                 std::int64_t pixels, const PatchRun* runs, int run_count);
  // The adjoint: adds each matrix row back to its patch. Patches closer than `overlap` pixels share elements;
  // they are added in an order that keeps them apart, always the same.
  void (*col2im)(float* image, const float* columns, std::int64_t column_stride, std::int64_t pixel_step,
                 std::int64_t pixels, std::int64_t overlap, const PatchRun* runs, int run_count);
};

}  // namespace receptive
