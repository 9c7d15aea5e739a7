// SPDX-License-Identifier: Apache-2.0
#include "ops/layer_norm.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "ops/reduce.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// From here on sums over the rows are split by columns: partial sums would be as large as what is summed.
constexpr std::int64_t kWideRow = 4096, kColumns = 1024;

std::int64_t chunk_rows(const LayerNormSize& size) {
  return std::max<std::int64_t>(1, kElementwiseGrain / size.width);
}

void grad_input(const GroupNormGradients<float>& of, const LayerNormSize& size, std::int64_t begin,
                std::int64_t end) {
  const std::int64_t at = begin * size.width;
  kernels().layer_norm->grad_input(of.dx + at, of.dy + at, of.x + at, of.mean + begin, of.inverse_std + begin,
                                   of.weight, end - begin, size.width);
}

// Of wide rows: each task takes a range of columns down all rows.
void grad_weight_by_columns(const GroupNormGradients<float>& of, const LayerNormSize& size, float* dweight,
                            float* dbias) {
  const auto kernel = kernels().layer_norm->grad_weight;
  parallel_ranges(size.width, kColumns, [&](std::int64_t begin, std::int64_t end) {
    kernel(dweight + begin, dbias + begin, of.dy + begin, of.x + begin, of.mean, of.inverse_std, size.rows,
           size.width, end - begin);
  });
}

}  // namespace

void layer_norm_forward(const GroupNormOperands<float>& to, const LayerNormSize& size, double eps) {
  const auto kernel = kernels().layer_norm->forward;
  parallel_ranges(size.rows, chunk_rows(size), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t at = begin * size.width;
    kernel(to.y + at, to.mean + begin, to.inverse_std + begin, to.x + at, to.weight, to.bias, eps,
           end - begin, size.width);
  });
}

void layer_norm_backward(const GroupNormGradients<float>& of, const LayerNormSize& size) {
  const bool needs_sums = of.dweight != nullptr || of.dbias != nullptr;
  const bool by_rows = needs_sums && size.width < kWideRow;
  const std::int64_t grain = chunk_rows(size), chunks = by_rows ? (size.rows + grain - 1) / grain : 0;
  // Both sums are always taken; one that nobody wants goes to the first rows of the scratch.
  float* space = workspace<float>(Slot::kPartials, 2 * (chunks + 1) * size.width);
  float* dweight = of.dweight == nullptr ? space : of.dweight;
  float* dbias = of.dbias == nullptr ? space + size.width : of.dbias;
  float* partials = space + 2 * size.width;
  // dx may lie over dy: what is summed is read first.
  if (needs_sums && !by_rows) grad_weight_by_columns(of, size, dweight, dbias);
  if (of.dx != nullptr || by_rows) {
    parallel_ranges(size.rows, grain, [&](std::int64_t begin, std::int64_t end) {
      const std::int64_t at = begin * size.width;
      float* sums = partials + begin / grain * 2 * size.width;
      if (by_rows) {
        kernels().layer_norm->grad_weight(sums, sums + size.width, of.dy + at, of.x + at, of.mean + begin,
                                          of.inverse_std + begin, end - begin, size.width, size.width);
      }
      if (of.dx != nullptr) grad_input(of, size, begin, end);
    });
  }
  if (!by_rows) return;
  sum_partials(dweight, partials, chunks, size.width, 2 * size.width);
  sum_partials(dbias, partials + size.width, chunks, size.width, 2 * size.width);
}

}  // namespace receptive::ops
