// SPDX-License-Identifier: Apache-2.0
// The gradient of the weight over batch-interleaved images: products of dy and x are summed over the pixels
// lane by lane, in registers; the lanes meet at the end of a chunk. A task takes one kernel row and a group
// of output channels over a chunk of the blocks. The chunks depend on the shape only and are added in order.
#include <algorithm>
#include <cstring>

#include "kernels/select.h"
#include "ops/conv2d_interleaved.h"
#include "ops/interleave.h"
#include "ops/reduce.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kWantedTasks = 16;  // chunks times tasks of a chunk, where there are so many blocks
// All tasks of a chunk read its dy and x, and neighbouring tasks run on one core: chunks as large as its near
// cache, and two at least, so that a core reads what it has interleaved itself and not what another one
// wrote. LeNet-5's second layer, two threads of a Zen 4, one chunk against these: 64 images 186 -> 156 µs
// where the cores share a far cache, 349 -> 172 µs where they do not (a virtual machine is moved between the
// two); 32 images 95 -> 82, 256 images 707 -> 629 µs. 1, 2, 4 chunks of 64 images: 186, 156, 161 µs.
constexpr std::int64_t kChunkBytes = 512 << 10, kMinChunks = 2, kMaxChunks = 32;

// The outputs o < count whose input o * stride + offset is from 0 to in - 1: [begin, end)
struct Inside {
  std::int64_t begin, end;
  Inside(std::int64_t count, std::int64_t in, std::int64_t stride, std::int64_t offset)
      : begin(std::clamp<std::int64_t>(offset >= 0 ? 0 : (stride - 1 - offset) / stride, 0, count)),
        end(std::clamp<std::int64_t>(in - offset <= 0 ? 0 : (in - offset + stride - 1) / stride, begin,
                                     count)) {}
};

// Elements [first, last) of a kernel row, for output column o those of them that lie inside the image.
struct Elements {
  std::int64_t first, last;
  Elements(std::int64_t begin, std::int64_t end, std::int64_t o, const Conv2dGeometry& g) {
    const std::int64_t left = o * g.stride_w - g.pad_left;
    first = std::max(begin, -left * g.in_c);
    last = std::max(first, std::min(end, (g.in_w - left) * g.in_c));
  }
  bool operator==(const Elements& other) const { return first == other.first && last == other.last; }
};

// Adds kernel row kh of one block to the sums of `channels` output channels.
void add_block(float* sums, const float* dy, const float* x, std::int64_t kh, int channels,
               const Conv2dGeometry& g) {
  const InterleavedKernels& kernel = *kernels().interleaved;
  const std::int64_t kernel_row = g.kernel_w * g.in_c;
  const Inside rows(g.out_h, g.in_h, g.stride_h, kh - g.pad_top);
  CorrelateGradient tile;
  tile.sums_row = kernel_row * kLanes;
  tile.dy_step = g.out_c * kLanes;
  tile.dy_row = g.out_w * tile.dy_step;
  tile.x_step = g.stride_w * g.in_c * kLanes;
  const std::int64_t x_row = g.in_w * g.in_c * kLanes;
  tile.x_row = g.stride_h * x_row;
  tile.rows = rows.end - rows.begin;
  tile.channels = channels;
  if (tile.rows == 0) return;
  dy += rows.begin * tile.dy_row;
  x += (rows.begin * g.stride_h + kh - g.pad_top) * x_row;
  const Groups groups(kernel_row, kernel.gradient_elements);
  for (std::int64_t group = 0; group < groups.count; ++group) {
    const std::int64_t begin = groups.begin(group), end = groups.begin(group + 1);
    for (std::int64_t o = 0; o < g.out_w; o += tile.columns) {
      const Elements inside(begin, end, o, g);
      tile.columns = 1;
      while (o + tile.columns < g.out_w && Elements(begin, end, o + tile.columns, g) == inside)
        ++tile.columns;
      tile.elements = static_cast<int>(inside.last - inside.first);
      if (tile.elements == 0) continue;
      tile.sums = sums + inside.first * kLanes;
      tile.dy = dy + o * tile.dy_step;
      tile.x = x + ((o * g.stride_w - g.pad_left) * g.in_c + inside.first) * kLanes;
      kernel.correlate_gradient(tile);
    }
  }
}

std::int64_t chunks_for(std::int64_t tasks, const Conv2dGeometry& g) {
  const std::int64_t image = g.in_h * g.in_w * g.in_c + g.out_h * g.out_w * g.out_c;
  const std::int64_t bytes = interleaved_size(g.batch, image) * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t near = std::clamp<std::int64_t>(bytes / kChunkBytes, kMinChunks, kMaxChunks);
  return std::min(blocks_of(g.batch), std::max(near, (kWantedTasks + tasks - 1) / tasks));
}

struct Blocks {
  std::int64_t begin, end;
};

void weight_task(float* dweight, const float* dy, const float* x, Blocks blocks, std::int64_t kh,
                 std::int64_t first_channel, int channels, const Conv2dGeometry& g) {
  const std::int64_t kernel_row = g.kernel_w * g.in_c, size = channels * kernel_row * kLanes;
  float* sums = workspace<float>(Slot::kTaskResult, size);
  std::memset(sums, 0, static_cast<std::size_t>(size) * sizeof(float));
  for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
    add_block(sums, dy + (block * g.out_h * g.out_w * g.out_c + first_channel) * kLanes,
              x + block * g.in_h * g.in_w * g.in_c * kLanes, kh, channels, g);
  }
  for (int i = 0; i < channels; ++i) {
    kernels().interleaved->sum_lanes(dweight + (first_channel + i) * g.patch() + kh * kernel_row,
                                     sums + i * kernel_row * kLanes, kernel_row);
  }
}

void bias_task(float* dbias, const float* dy, Blocks blocks, const Conv2dGeometry& g) {
  const std::int64_t pixel = g.out_c * kLanes, block_pixels = g.out_h * g.out_w;
  float* sums = workspace<float>(Slot::kTaskResult, pixel);
  std::memset(sums, 0, static_cast<std::size_t>(pixel) * sizeof(float));
  kernels().interleaved->sum_pixels(sums, dy + blocks.begin * block_pixels * pixel, pixel,
                                    (blocks.end - blocks.begin) * block_pixels, g.out_c);
  kernels().interleaved->sum_lanes(dbias, sums, g.out_c);
}

}  // namespace

void conv2d_grad_weight_interleaved(float* dweight, float* dbias, const float* dy, const float* x,
                                    const Conv2dGeometry& g) {
  const Groups groups(g.out_c, kernels().interleaved->gradient_channels);
  const std::int64_t weight_tasks = g.kernel_h * groups.count,
                     tasks = weight_tasks + (dbias == nullptr ? 0 : 1);
  const std::int64_t blocks = blocks_of(g.batch), chunks = chunks_for(tasks, g);
  // A chunk's partial sums: the weight, then the bias.
  const std::int64_t size = g.weight_size() + g.out_c;
  float* partials = chunks == 1 ? nullptr : workspace<float>(Slot::kPartials, chunks * size);
  parallel_for(chunks * tasks, [&](std::int64_t index) {
    const std::int64_t chunk = index / tasks, task = index % tasks;
    const Blocks range{chunk * blocks / chunks, (chunk + 1) * blocks / chunks};
    float* weight = chunks == 1 ? dweight : partials + chunk * size;
    float* bias = chunks == 1 ? dbias : weight + g.weight_size();
    if (task == weight_tasks) return bias_task(bias, dy, range, g);
    const std::int64_t group = task % groups.count;
    weight_task(weight, dy, x, range, task / groups.count, groups.begin(group),
                static_cast<int>(groups.begin(group + 1) - groups.begin(group)), g);
  });
  if (chunks == 1) return;
  sum_partials(dweight, partials, chunks, g.weight_size(), size);
  if (dbias != nullptr) sum_partials(dbias, partials + g.weight_size(), chunks, g.out_c, size);
}

}  // namespace receptive::ops
