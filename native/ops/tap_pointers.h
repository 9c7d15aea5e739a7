// SPDX-License-Identifier: Apache-2.0
// Where the taps of a window lie in an image: pointers for the rows of a GEMM tile, so that no patch is
// copied. Away from the border, where nearly all windows lie, they are one pointer and a table of distances.
#pragma once

#include <cstdint>

namespace receptive::ops {

// Taps `row_step` and `column_step` pixels apart, which may be negative, over images [height][width] whose
// pixels lie `pixel` floats apart.
struct TapPointers {
  std::int64_t rows, columns;  // taps along either axis; 0 is allowed
  std::int64_t row_step, column_step;
  std::int64_t height, width, pixel;
  const float* zeros;               // what taps outside the image point at
  std::int64_t* offsets = nullptr;  // [count()], filled by prepare: from the first tap, in floats

  std::int64_t count() const { return rows * columns; }

  void prepare(std::int64_t* room) {
    offsets = room;
    for (std::int64_t ty = 0; ty < rows; ++ty) {
      for (std::int64_t tx = 0; tx < columns; ++tx)
        *room++ = (ty * row_step * width + tx * column_step) * pixel;
    }
  }

  // to[t * step + i] = tap t of window i < windows; the first tap of window 0 lies at (y, x) of `image`, and
  // the windows side by side, x_step pixels apart.
  void point(const float** to, std::int64_t step, std::int64_t windows, const float* image, std::int64_t y,
             std::int64_t x, std::int64_t x_step) const {
    const bool inside = is_within(y, rows, row_step, height) && is_within(x, columns, column_step, width) &&
                        is_within(x + (windows - 1) * x_step, columns, column_step, width);
    if (inside) {
      const float* const first = image + (y * width + x) * pixel;
      const std::int64_t pitch = x_step * pixel;
      for (std::int64_t t = 0; t < count(); ++t, to += step) {
        const float* tap = first + offsets[t];
        for (std::int64_t i = 0; i < windows; ++i, tap += pitch) to[i] = tap;
      }
      return;
    }
    for (std::int64_t i = 0; i < windows; ++i, ++to, x += x_step) point_one(to, step, image, y, x);
  }

 private:
  void point_one(const float** to, std::int64_t step, const float* image, std::int64_t y,
                 std::int64_t x) const {
    for (std::int64_t ty = 0; ty < rows; ++ty, y += row_step) {
      for (std::int64_t tx = 0; tx < columns; ++tx, to += step) {
        const std::int64_t column = x + tx * column_step;
        const bool there = y >= 0 && y < height && column >= 0 && column < width;
        *to = there ? image + (y * width + column) * pixel : zeros;
      }
    }
  }

  static bool is_within(std::int64_t first, std::int64_t taps, std::int64_t step, std::int64_t size) {
    const std::int64_t last = first + (taps - 1) * step;
    return first >= 0 && first < size && last >= 0 && last < size;
  }
};

}  // namespace receptive::ops
