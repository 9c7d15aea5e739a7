// SPDX-License-Identifier: Apache-2.0
#include "ops/gemm.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/brgemm.h"
#include "ops/conv2d_algorithm.h"
#include "ops/gemm_pack.h"
#include "ops/task_grid.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// Up to so many rows packing B takes as long as the product: one row times 400x120 takes 9.4 µs with
// it and 1.9 without, and times its transpose 5.7 and 2.9.
constexpr std::int64_t kFewRows = 4;
// Floats of B that are packed by the caller alone: 2 µs, which a fork-join takes as well.
constexpr std::int64_t kPackAlone = 1 << 14;

// Whether B is read where it lies: rows of whole vectors, which too few tiles read to pay for a copy. Zen 4,
// one thread, share of peak packed and in place: AVX-512 64 cubed 86 and 91 %, 128 cubed 90 and 93 %, 256
// cubed 93 and 95 %, 12x512x256 68 and 95 %; AVX2 64 cubed 69 and 83 %. With more than 16 panels side by side
// the rows of one lie in few sets of the near cache: AVX2 at 256x512x256 88 and 82 %.
bool is_read_in_place(const MatrixView& b, std::int64_t m, std::int64_t n, std::int64_t k,
                      const GemmKernels& gemm) {
  constexpr std::int64_t kMaxRows = 256, kMaxSize = 1 << 17, kMaxPanels = 16;
  if (b.column_stride != 1 || b.row_stride != n || n % gemm.vector_width != 0) return false;
  return m <= kFewRows || (m <= kMaxRows && n * k <= kMaxSize && n <= kMaxPanels * gemm.max_columns);
}

// Packs all of B: one task per panel and block of k.
void pack_all(float* packed, const MatrixView& b, const Panels& panels, std::int64_t k_block) {
  const std::int64_t k_blocks = (panels.depth + k_block - 1) / k_block;
  const auto pack = [&](std::int64_t task) {
    const std::int64_t panel = task / k_blocks, k = task % k_blocks * k_block;
    const std::int64_t stride = panels.stride(panel);
    pack_panel(packed + panels.offset(panel) + k * stride, stride,
               b.data + k * b.row_stride + panel * panels.tile * b.column_stride, b.row_stride,
               b.column_stride, std::min(k_block, panels.depth - k), panels.width(panel));
  };
  const std::int64_t tasks = panels.count() * k_blocks;
  if (panels.columns * panels.depth > kPackAlone) return parallel_for(tasks, pack);
  for (std::int64_t task = 0; task < tasks; ++task) pack(task);
}

// A few rows times a transposed matrix: dot products of rows as they lie.
bool is_few_dots(const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t k,
                 const Epilogue& epilogue) {
  return m <= kFewRows && a.column_stride == 1 && b.row_stride == 1 && b.column_stride == k && !epilogue.relu;
}

void few_dots(float* c, const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t n,
              std::int64_t k, const float* bias) {
  const auto dot_rows = kernels().vector->dot_rows;
  const std::int64_t grain = std::max<std::int64_t>(1, TaskGrid::kMinTaskWork / (m * k));
  parallel_ranges(n, grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = 0; row < m; ++row) {
      dot_rows(c + row * n + begin, a.data + row * a.row_stride, b.data + begin * k,
               bias == nullptr ? nullptr : bias + begin, end - begin, k);
    }
  });
}

constexpr std::int64_t kRowPixels = 64;  // of the image that a long sum is taken for

// aᵀ as it lies in memory times b, with a sum longer than the result is large: what the weight gradient of a
// 1x1 convolution is, which packs both in bands and cuts the sum into chunks (64x576x32768 one thread: 46
// against 62 % of peak).
bool is_long_sum(const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t n, std::int64_t k,
                 const Epilogue& epilogue) {
  constexpr std::int64_t kLongSum = 4096;
  return a.row_stride == 1 && a.column_stride == m && b.row_stride == n && b.column_stride == 1 &&
         k >= kLongSum && k % kRowPixels == 0 && epilogue.bias == nullptr && !epilogue.relu;
}

void sum_over_rows(float* c, const float* a, const float* b, std::int64_t m, std::int64_t n, std::int64_t k) {
  Conv2dGeometry g{};
  g.batch = g.kernel_h = g.kernel_w = g.stride_h = g.stride_w = 1;
  g.in_h = g.out_h = k / kRowPixels;
  g.in_w = g.out_w = kRowPixels;
  g.in_c = n;
  g.out_c = m;
  conv2d_grad_weight_direct(c, a, b, g);
}

}  // namespace

void gemm(float* c, const MatrixView& a, const MatrixView& b, std::int64_t m, std::int64_t n, std::int64_t k,
          const Epilogue& epilogue) {
  if (is_long_sum(a, b, m, n, k, epilogue)) return sum_over_rows(c, a.data, b.data, m, n, k);
  if (is_few_dots(a, b, m, k, epilogue)) return few_dots(c, a, b, m, n, k, epilogue.bias);
  const GemmKernels& kernel = *kernels().gemm;
  Panels panels(n, k, kernel);
  panels.in_place = is_read_in_place(b, m, n, k, kernel);
  const float* packed = b.data;
  if (!panels.in_place) {
    float* room = workspace<float>(Slot::kPackedB, panels.size());
    pack_all(room, b, panels, kernel.k_block);
    packed = room;
  }

  const TaskGrid grid(m, n, k, panels, kernel);
  grid.run([&](std::int64_t row, std::int64_t rows, std::int64_t first, std::int64_t last) {
    const float** a_rows = workspace<const float*>(Slot::kTaskRows, 2 * rows);
    float** c_rows = const_cast<float**>(a_rows + rows);
    for (std::int64_t i = 0; i < rows; ++i) {
      a_rows[i] = a.data + (row + i) * a.row_stride;
      c_rows[i] = c + (row + i) * n;
    }
    RowBlock block;
    block.a_rows = a_rows;
    block.c_rows = c_rows;
    block.rows = rows;
    block.tile_rows = grid.tile_rows;
    block.a_stride = a.column_stride;
    block.run_length = k;
    brgemm(block, packed, panels, first, last, epilogue.bias, epilogue.relu, kernel);
  });
}

}  // namespace receptive::ops
