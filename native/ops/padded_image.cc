// SPDX-License-Identifier: Apache-2.0
#include "ops/padded_image.h"

#include <algorithm>
#include <cstring>

#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// The part of a padded row or column range that lies inside the image: [begin, end) in padded coordinates.
struct Inside {
  std::int64_t begin, end;
  Inside(std::int64_t pad, std::int64_t in, std::int64_t padded)
      : begin(std::min(pad, padded)), end(std::clamp(pad + in, begin, padded)) {}
};

void copy_floats(float* to, const float* from, std::int64_t count) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}
void zero_floats(float* to, std::int64_t count) {
  std::memset(to, 0, static_cast<std::size_t>(count) * sizeof(float));
}

}  // namespace

PaddedBatch padded_batch(const float* x, const Conv2dGeometry& g) {
  if (is_padded_already(g)) return {x, g.in_h, g.in_w};
  const std::int64_t height = g.padded_h(), width = g.padded_w(), c = g.in_c;
  float* padded = workspace<float>(Slot::kPadded, g.batch * height * width * c);
  const Inside rows(g.pad_top, g.in_h, height), columns(g.pad_left, g.in_w, width);
  parallel_for(g.batch, [&](std::int64_t n) {
    float* to = padded + n * height * width * c;
    zero_floats(to, rows.begin * width * c);
    for (std::int64_t y = rows.begin; y < rows.end; ++y) {
      float* row = to + y * width * c;
      zero_floats(row, columns.begin * c);
      copy_floats(row + columns.begin * c,
                  x + ((n * g.in_h + y - g.pad_top) * g.in_w + columns.begin - g.pad_left) * c,
                  (columns.end - columns.begin) * c);
      zero_floats(row + columns.end * c, (width - columns.end) * c);
    }
    zero_floats(to + rows.end * width * c, (height - rows.end) * width * c);
  });
  return {padded, height, width};
}

void crop_padded(float* dx, const float* padded, const Conv2dGeometry& g) {
  const std::int64_t width = g.padded_w(), c = g.in_c;
  const Inside rows(g.pad_top, g.in_h, g.padded_h()), columns(g.pad_left, g.in_w, width);
  const std::int64_t first_row = rows.begin - g.pad_top, first = columns.begin - g.pad_left;
  const std::int64_t count = columns.end - columns.begin;
  for (std::int64_t y = 0; y < g.in_h; ++y) {
    float* row = dx + y * g.in_w * c;
    // With padding and a stride beyond the image, no output may reach any column: `first` is negative then.
    if (count == 0 || y < first_row || y >= first_row + rows.end - rows.begin) {
      zero_floats(row, g.in_w * c);
      continue;
    }
    zero_floats(row, first * c);
    copy_floats(row + first * c, padded + ((y + g.pad_top) * width + columns.begin) * c, count * c);
    zero_floats(row + (first + count) * c, (g.in_w - first - count) * c);
  }
}

}  // namespace receptive::ops
