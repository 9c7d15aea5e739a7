// SPDX-License-Identifier: Apache-2.0
// A task takes some images, one after another, and adds to the image's gradient, window by window, and to the
// task's sums for the weight, channel by channel. The sums of all tasks are added up in order at the end.
#include "ops/conv2d_winners.h"

#include <algorithm>
#include <cstring>

#include "kernels/select.h"
#include "ops/reduce.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// Partial sums of the weight. Few enough to add up, enough for many threads.
constexpr std::int64_t kChunks = 16;

void clear(float* to, std::int64_t count) {
  std::memset(to, 0, static_cast<std::size_t>(count) * sizeof(float));
}
void copy(float* to, const float* from, std::int64_t count) {
  std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
}

// Rows of a few floats want short vectors: of LeNet-5's first layer, 5 floats, a load of 16 crosses a cache
// line nearly always.
const WinnerKernels& winner_kernels(std::int64_t floats) {
  constexpr std::int64_t kFewFloats = 8;
  return floats <= kFewFloats ? *kernels().narrow_winner : *kernels().winner;
}

// Each channel's weight among zeros.
float* spread_weight(const float* weight, const WinnerGeometry& g) {
  const Conv2dGeometry& c = g.conv;
  const std::int64_t size = c.out_c * g.weight_channel(), floats = c.kernel_w * c.in_c;
  const std::int64_t top = (g.pool.kernel_h - 1) * c.stride_h,
                     left = (g.pool.kernel_w - 1) * c.stride_w * c.in_c;
  float* spread = workspace<float>(Slot::kPackedB, size);
  clear(spread, size);
  for (std::int64_t channel = 0; channel < c.out_c; ++channel) {
    for (std::int64_t r = 0; r < c.kernel_h; ++r, weight += floats)
      copy(spread + channel * g.weight_channel() + (top + r) * g.weight_row() + left, weight, floats);
  }
  return spread;
}

// Between an image and its zero-bordered copy: copy_row(row of the image, row of the copy).
template <typename CopyRow>
void for_image_rows(const WinnerGeometry& g, const CopyRow& copy_row) {
  for (std::int64_t y = 0; y < g.conv.in_h; ++y) {
    copy_row(y * g.conv.in_w * g.conv.in_c,
             (y + g.conv.pad_top) * g.image_row() + g.conv.pad_left * g.conv.in_c);
  }
}

struct Task {
  const WinnerGradients& pass;
  const WinnerGeometry& g;
  const WinnerTables& tables;
  const float* weight;  // spread

  // Images [begin, end); their sums for the weight, then the bias, go to `partial`.
  void run(std::int64_t begin, std::int64_t end, float* partial) const {
    const Conv2dGeometry& c = g.conv;
    const std::int64_t size = c.out_c * g.sums_channel() + c.out_c;
    float* sums = workspace<float>(Slot::kTaskResult, size);
    float* image = workspace<float>(Slot::kTaskPanel, 2 * g.image_size());
    clear(sums, size);
    clear(image, g.image_size());
    for (std::int64_t n = begin; n < end; ++n) {
      if (pass.dweight != nullptr) fill_image(image, n);
      if (pass.dx != nullptr) clear(image + g.image_size(), g.image_size());
      for_pooled(n, [&](const PooledGradient& gradient) { add_image(gradient, sums, image); });
      if (pass.dx != nullptr) hand_out_image(n, image + g.image_size());
    }
    if (pass.dweight != nullptr) hand_out(partial, sums);
  }

 private:
  std::int64_t image_row() const { return g.conv.in_w * g.conv.in_c; }

  // The border stays zero.
  void fill_image(float* image, std::int64_t n) const {
    const float* x = pass.x + n * g.conv.in_h * image_row();
    for_image_rows(g, [&](std::int64_t from, std::int64_t to) { copy(image + to, x + from, image_row()); });
  }
  void hand_out_image(std::int64_t n, const float* image) const {
    float* dx = pass.dx + n * g.conv.in_h * image_row();
    for_image_rows(g, [&](std::int64_t to, std::int64_t from) { copy(dx + to, image + from, image_row()); });
  }

  template <typename Body>
  void for_pooled(std::int64_t n, const Body& body) const {
    if (pass.winners != nullptr) {
      const std::int64_t first = n * g.pooled_image();
      return body({pass.dy + first, pass.winners + first});
    }
    const float* dy = pass.dy + n * g.conv.out_h * g.conv.out_w * g.conv.out_c;
    SplitGradient split(workspace_bytes(Slot::kTaskDense, static_cast<std::size_t>(SplitGradient::bytes(g))),
                        g);
    bool has_more = true;
    for (std::int64_t number = 0; has_more; ++number) {
      has_more = split.read(dy, number, g);
      body({split.dz, split.winners});
    }
  }

  void add_image(const PooledGradient& gradient, float* sums, float* image) const {
    if (pass.dweight != nullptr) add_patches(gradient, sums, image);
    if (pass.dx != nullptr) add_weights(gradient, image + g.image_size());
  }

  void add_patches(const PooledGradient& gradient, float* sums, const float* image) const {
    const BlockRows rows = g.sums();
    const std::int64_t channels = g.conv.out_c, windows = g.windows_h() * g.windows_w();
    WinnerPatches patches{gradient.dz, gradient.winners, channels, windows, tables.window_x, tables.place_x};
    const WinnerKernels& kernel = winner_kernels(rows.floats);
    for (std::int64_t channel = 0; channel < channels; ++channel, sums += g.sums_channel()) {
      patches.values = gradient.dz + channel;
      patches.winners = gradient.winners + channel;
      kernel.add_patches(sums, rows, image, g.image_row(), patches);
    }
    kernels().vector->add_rows(sums, gradient.dz, windows, channels);
  }

  void add_weights(const PooledGradient& gradient, float* image) const {
    WinnerList list(workspace_bytes(Slot::kTaskRows, static_cast<std::size_t>(WinnerList::bytes(g))), g);
    list.read(gradient, g, tables);
    const BlockRows rows{g.window_rows(), g.window_floats(), g.image_row()};
    std::int64_t begin = 0;
    for (std::int64_t window = 0; window < g.windows_h() * g.windows_w(); ++window) {
      const std::int64_t end = list.window_ends[window];
      kernels().winner->add_blocks(image + tables.window_x[window], rows, weight, g.weight_row(),
                                   list.values + begin, list.offsets + begin, end - begin);
      begin = end;
    }
  }

  void hand_out(float* partial, const float* sums) const {
    const BlockRows rows = g.sums();
    for (std::int64_t r = 0; r < g.conv.out_c * rows.rows; ++r, sums += rows.step, partial += rows.floats)
      copy(partial, sums, rows.floats);
    copy(partial, sums, g.conv.out_c);
  }
};

}  // namespace

bool is_for_winners(const Conv2dGeometry& g, const PoolWindow& pool) {
  // Above, the dense ways fill their vectors.
  constexpr std::int64_t kFewChannels = 16, kManyOutputs = 32;
  if (g.groups > 1 || g.is_dilated()) return false;
  if (pool.size() < 2 || pool.size() > WinnerTables::kPlaces) return false;
  const bool covers = pool.stride_h == pool.kernel_h && pool.stride_w == pool.kernel_w &&
                      g.out_h % pool.kernel_h == 0 && g.out_w % pool.kernel_w == 0;
  const WinnerGeometry winners{g, pool};
  // Offsets are 32-bit numbers of floats.
  constexpr std::int64_t kMostFloats = 1 << 24;
  return covers && g.in_c < kFewChannels && g.out_c <= kManyOutputs &&
         winners.window_rows() <= kMaxBlockRows && winners.image_size() < kMostFloats &&
         g.out_c * winners.weight_channel() < kMostFloats;
}

void conv2d_winner_gradients(const WinnerGradients& pass, const Conv2dGeometry& conv,
                             const PoolWindow& pool) {
  const WinnerGeometry g{conv, pool};
  const WinnerTables tables(workspace<std::int32_t>(Slot::kPadded, WinnerTables::size(g)), g);
  const float* weight = pass.dx == nullptr ? nullptr : spread_weight(pass.weight, g);
  const std::int64_t chunks = std::min(conv.batch, kChunks), size = conv.weight_size() + conv.out_c;
  float* partials = pass.dweight == nullptr ? nullptr : workspace<float>(Slot::kPartials, chunks * size);
  parallel_for(chunks, [&](std::int64_t chunk) {
    const Task task{pass, g, tables, weight};
    float* part = partials == nullptr ? nullptr : partials + chunk * size;
    task.run(chunk * conv.batch / chunks, (chunk + 1) * conv.batch / chunks, part);
  });
  if (partials == nullptr) return;
  sum_partials(pass.dweight, partials, chunks, conv.weight_size(), size);
  if (pass.dbias != nullptr)
    sum_partials(pass.dbias, partials + conv.weight_size(), chunks, conv.out_c, size);
}

}  // namespace receptive::ops
