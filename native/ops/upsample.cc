// SPDX-License-Identifier: Apache-2.0
#include "ops/upsample.h"

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

UpsampleTap tap_at(const UpsampleAxis& axis, std::int64_t o, UpsampleMode mode) {
  if (mode == UpsampleMode::kNearest) {
    const auto pixel = static_cast<std::int32_t>(axis.nearest(o));
    return {pixel, pixel, 0.0f};
  }
  const double position = axis.position(o);
  const std::int64_t near = axis.inside(position);
  return {static_cast<std::int32_t>(near), static_cast<std::int32_t>(std::min(near + 1, axis.in - 1)),
          static_cast<float>(std::min(1.0, position - static_cast<double>(near)))};
}

void fill_taps(UpsampleTap* taps, const UpsampleAxis& axis, UpsampleMode mode) {
  for (std::int64_t o = 0; o < axis.out; ++o) taps[o] = tap_at(axis, o, mode);
}

// For each pixel the outputs that read it: a range, because outputs read pixels in their order. `weights` has
// room for two for each output; returns the first that is left.
float* fill_readers(UpsampleReaders* readers, float* weights, const UpsampleAxis& axis, UpsampleMode mode) {
  std::int64_t begin = 0;
  for (std::int64_t pixel = 0; pixel < axis.in; ++pixel) {
    while (begin < axis.out && tap_at(axis, begin, mode).far < pixel) ++begin;
    std::int64_t end = begin;
    readers[pixel].weights = weights;
    for (; end < axis.out; ++end) {
      const UpsampleTap tap = tap_at(axis, end, mode);
      if (tap.near > pixel) break;
      *weights++ = (tap.near == pixel ? 1.0f - tap.share : 0.0f) + (tap.far == pixel ? tap.share : 0.0f);
    }
    readers[pixel].begin = static_cast<std::int32_t>(begin);
    readers[pixel].end = static_cast<std::int32_t>(end);
  }
  return weights;
}

// body(image, row) for `rows` rows of each image, in tasks of at least kElementwiseGrain elements touched
template <typename Body>
void for_image_rows(const UpsampleGeometry& g, std::int64_t rows, const Body& body) {
  const std::int64_t touched = std::max<std::int64_t>(1, std::max(g.in_image(), g.out_image()) / rows);
  const std::int64_t grain = std::max<std::int64_t>(1, kElementwiseGrain / touched);
  parallel_ranges(g.batch * rows, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) body(i / rows, i % rows);
  });
}

}  // namespace

void upsample_forward(float* y, const float* x, const UpsampleGeometry& g, UpsampleMode mode) {
  const UpsampleKernels& kernel = *kernels().upsample;
  auto* rows = workspace<UpsampleTap>(Slot::kTables, g.rows.out + g.columns.out);
  UpsampleTap* columns = rows + g.rows.out;
  fill_taps(rows, g.rows, mode);
  fill_taps(columns, g.columns, mode);
  const std::int64_t in_row = g.columns.in * g.channels, out_row = g.columns.out * g.channels;
  for_image_rows(g, g.rows.out, [&](std::int64_t image, std::int64_t row) {
    const float* from = x + image * g.in_image();
    float* to = y + image * g.out_image() + row * out_row;
    const UpsampleTap& tap = rows[row];
    if (mode == UpsampleMode::kNearest) {
      kernel.nearest(to, from + tap.near * in_row, columns, g.columns.out, g.channels);
    } else {
      kernel.bilinear(to, from + tap.near * in_row, from + tap.far * in_row, tap.share, columns,
                      g.columns.out, g.channels);
    }
  });
}

void upsample_backward(float* dx, const float* dy, const UpsampleGeometry& g, UpsampleMode mode) {
  const auto gather = kernels().upsample->gather;
  const std::int64_t pixels = g.rows.in + g.columns.in, outputs = g.rows.out + g.columns.out;
  const std::size_t table = static_cast<std::size_t>(pixels) * sizeof(UpsampleReaders);
  void* bytes = workspace_bytes(Slot::kTables, table + static_cast<std::size_t>(2 * outputs) * sizeof(float));
  auto* rows = static_cast<UpsampleReaders*>(bytes);
  UpsampleReaders* columns = rows + g.rows.in;
  auto* weights = reinterpret_cast<float*>(static_cast<char*>(bytes) + table);
  fill_readers(columns, fill_readers(rows, weights, g.rows, mode), g.columns, mode);
  const std::int64_t in_row = g.columns.in * g.channels;
  for_image_rows(g, g.rows.in, [&](std::int64_t image, std::int64_t row) {
    gather(dx + image * g.in_image() + row * in_row, dy + image * g.out_image(), rows[row], columns,
           g.columns.in, g.columns.out, g.channels);
  });
}

}  // namespace receptive::ops
