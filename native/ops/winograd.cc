// SPDX-License-Identifier: Apache-2.0
// A block of tiles is transformed, multiplied by the transformed weights frequency by frequency, and
// transformed back while it is in the near cache.
#include "ops/winograd.h"

#include <algorithm>

#include "ops/brgemm.h"
#include "ops/winograd_weight.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// Tiles of a block: V and M of 64 channels take 0.5 MiB together. 12 to 48 are alike.
constexpr std::int64_t kBlockTiles = 24;
// Terms of one chain of sums. Longer sums are cut, because rounding errors of F(4x4) grow with them: at 512
// channels a single chain is 2.4 times less accurate.
constexpr std::int64_t kChain = 128;
// Transformed weights above this size are made anew by each task, one group of output channels at a time, so
// that they stay in the shared cache and scratch memory stays small.
constexpr std::int64_t kMaxWeightBytes = 12 << 20;
// What all transformed tiles of a round may take in that case.
constexpr std::int64_t kMaxTilesBytes = 16 << 20;
constexpr std::int64_t kGroupTiles = 48;  // tiles of a block there
constexpr std::int64_t kWeightRows = 32;  // input channels of the weight that a task transforms

struct Convolver {
  const WinogradConvolution& c;
  const KernelTable& table;
  TileGrid grid;
  WinogradWeight weight;
  const float* zeros;

  Convolver(const WinogradConvolution& convolution, const KernelTable& kernels)
      : c(convolution),
        table(kernels),
        grid(c.y.count, c.y.height, c.y.width, c.transforms->outputs),
        weight(c.x.channels, c.y.channels, c.transforms->inputs, *kernels.gemm),
        zeros(zero_row(std::max(c.x.channels, c.y.channels))) {}

  // v = tiles [begin, end), from row 0 of v on
  void transform_tiles(float* v, const TileStreams& streams, std::int64_t begin, std::int64_t end) const {
    input_tiles(*c.transforms, v, streams, c.x, grid, c.pad_top, c.pad_left, begin, end, zeros);
  }

  // m[f] = v[f] · weight[f] for one group of output channels; m points at its first column
  void multiply(float* m, const TileStreams& m_streams, const float* v, const TileStreams& v_streams,
                std::int64_t tiles, const float* u, std::int64_t group) const {
    const GemmKernels& gemm = *table.gemm;
    const float* a_rows[kGroupTiles];
    float* c_rows[kMaxTileRows];
    for (std::int64_t row = 0; row < tiles; ++row) a_rows[row] = v + row * v_streams.row;
    GemmTile tile;
    tile.c_rows = c_rows;
    tile.a_stride = 1;
    tile.runs = 1;
    tile.b_run_stride = 0;
    tile.relu = false;
    tile.bias = nullptr;
    const std::int64_t columns = weight.group_columns(group), first = group * WinogradWeight::kGroup;
    for (int f = 0; f < m_streams.frequencies; ++f, u += weight.frequency, m += m_streams.frequency) {
      for (std::int64_t column = 0; column < columns; column += weight.tile) {
        tile.columns = weight.width(first + column);
        tile.b_stride = weight.stride(first + column);
        const int tile_rows = tile_rows_for(tile.columns, gemm);
        for (std::int64_t row = 0; row < tiles; row += tile_rows) {
          tile.a_rows = a_rows + row;
          tile.rows = static_cast<int>(std::min<std::int64_t>(tile_rows, tiles - row));
          for (int i = 0; i < tile.rows; ++i) c_rows[i] = m + (row + i) * m_streams.row + column;
          for (std::int64_t k = 0; k < weight.depth; k += kChain) {
            tile.a_offset = f * v_streams.frequency + k;
            tile.run_length = std::min(kChain, weight.depth - k);
            tile.b = u + column * weight.depth + k * tile.b_stride;
            tile.accumulate = k > 0;
            gemm.tile(tile);
          }
        }
      }
    }
  }

  // y of tiles [begin, end) from m, which begins at `channel`
  void transform_back(const float* m, const TileStreams& streams, std::int64_t begin, std::int64_t end,
                      std::int64_t channel, std::int64_t channels, float* outside) const {
    const int side = c.transforms->outputs;
    const float* bias = c.bias == nullptr ? nullptr : c.bias + channel;
    ImageBatch<float> y = c.y;
    y.data += channel;
    ImageBatch<const float> residual{c.residual, c.y.count, c.y.height, c.y.width, c.y.channels};
    if (c.residual != nullptr) residual.data += channel;
    float* pixels[16];
    const float* residuals[2][16];
    const auto point_at = [&](const auto& images, auto** pointers, std::int64_t tile, auto* elsewhere) {
      images.point_at(pointers, side, grid.image(tile), grid.row(tile) * side, grid.column(tile) * side,
                      elsewhere);
    };
    if (c.residual != nullptr) point_at(residual, residuals[begin % 2], begin, zeros);
    for (std::int64_t tile = begin; tile < end; ++tile, m += streams.row) {
      point_at(y, pixels, tile, outside);
      if (c.residual == nullptr) {
        c.transforms->output(pixels, m, streams.frequency, channels, bias, c.relu);
        continue;
      }
      const bool more = tile + 1 < end;
      if (more) point_at(residual, residuals[(tile + 1) % 2], tile + 1, zeros);
      c.transforms->output_with_residual(pixels, m, streams.frequency, channels, bias, residuals[tile % 2],
                                         residuals[(tile + more) % 2], c.relu);
    }
  }

  void transform_all_weights(float* u) const {
    const std::int64_t pieces = (weight.depth + kWeightRows - 1) / kWeightRows;
    parallel_for(weight.groups() * pieces, [&](std::int64_t task) {
      const std::int64_t group = task / pieces, k = task % pieces * kWeightRows;
      transform_weight(u + group * weight.group, weight, group, k, std::min(k + kWeightRows, weight.depth), c,
                       table);
    });
  }

  // All weights first, then blocks of tiles on their own from the pixels to the pixels.
  void by_blocks() const {
    const float* u = c.prepared;
    if (u == nullptr) {
      float* room = workspace<float>(Slot::kPackedB, weight.size());
      transform_all_weights(room);
      u = room;
    }
    // Few blocks are a multiple of 4, so that 2 and 4 threads share them evenly.
    std::int64_t blocks = (grid.count + kBlockTiles - 1) / kBlockTiles;
    if (blocks < 32) blocks = std::min((blocks + 3) / 4 * 4, grid.count);
    parallel_for(blocks, [&](std::int64_t block) {
      const std::int64_t begin = block * grid.count / blocks, end = (block + 1) * grid.count / blocks;
      const std::int64_t tiles = end - begin;
      const TileStreams v_streams(tiles, c.x.channels, c.transforms->inputs);
      const TileStreams m_streams(tiles, c.y.channels, c.transforms->inputs);
      float* v = workspace<float>(Slot::kTaskPanel, v_streams.size());
      float* m = workspace<float>(Slot::kTaskResult, m_streams.size() + m_streams.row);
      transform_tiles(v, v_streams, begin, end);
      for (std::int64_t group = 0; group < weight.groups(); ++group) {
        multiply(m + group * WinogradWeight::kGroup, m_streams, v, v_streams, tiles, u + group * weight.group,
                 group);
      }
      transform_back(m, m_streams, begin, end, 0, c.y.channels, m + m_streams.size());
    });
  }

  // Tiles first, then groups of output channels on their own, each with its weights.
  void by_groups() const {
    const TileStreams one(1, c.x.channels, c.transforms->inputs);
    const std::int64_t tile_bytes = one.size() * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t round = std::clamp<std::int64_t>(kMaxTilesBytes / tile_bytes, 1, grid.count);
    const TileStreams v_streams(round, c.x.channels, c.transforms->inputs);
    float* v = workspace<float>(Slot::kPadded, v_streams.size());
    for (std::int64_t begin = 0; begin < grid.count; begin += round) {
      const std::int64_t tiles = std::min(round, grid.count - begin);
      parallel_ranges(tiles, 4, [&](std::int64_t first, std::int64_t last) {
        transform_tiles(v + first * v_streams.row, v_streams, begin + first, begin + last);
      });
      parallel_for(weight.groups(), [&](std::int64_t group) {
        const TileStreams m_streams(kGroupTiles, WinogradWeight::kGroup, c.transforms->inputs);
        float* m = workspace<float>(Slot::kTaskResult, m_streams.size() + m_streams.row);
        const float* u = c.prepared == nullptr ? nullptr : c.prepared + group * weight.group;
        if (u == nullptr) {
          float* room = workspace<float>(Slot::kTaskPanel, weight.group);
          transform_weight(room, weight, group, 0, weight.depth, c, table);
          u = room;
        }
        for (std::int64_t first = 0; first < tiles; first += kGroupTiles) {
          const std::int64_t count = std::min(kGroupTiles, tiles - first);
          multiply(m, m_streams, v + first * v_streams.row, v_streams, count, u, group);
          transform_back(m, m_streams, begin + first, begin + first + count, group * WinogradWeight::kGroup,
                         weight.group_columns(group), m + m_streams.size());
        }
      });
    }
  }
};

}  // namespace

const WinogradTransforms& winograd_transforms(WinogradTile tile, const KernelTable& table) {
  switch (tile) {
    case WinogradTile::kF2:
      return table.winograd->f2;
    case WinogradTile::kF4:
      return table.winograd->f4;
    default:
      return table.winograd->f2_taps5;
  }
}

void input_tiles(const WinogradTransforms& transforms, float* v, const TileStreams& streams,
                 const ImageBatch<const float>& x, const TileGrid& grid, std::int64_t pad_top,
                 std::int64_t pad_left, std::int64_t begin, std::int64_t end, const float* zeros) {
  const int side = transforms.inputs, step = transforms.outputs;
  const float* pixels[2][36];
  const auto point_at = [&](std::int64_t tile) {
    x.point_at(pixels[tile % 2], side, grid.image(tile), grid.row(tile) * step - pad_top,
               grid.column(tile) * step - pad_left, zeros);
  };
  point_at(begin);
  for (std::int64_t tile = begin; tile < end; ++tile, v += streams.row) {
    const bool more = tile + 1 < grid.count;
    if (more) point_at(tile + 1);
    transforms.input(v, streams.frequency, pixels[tile % 2], pixels[(tile + more) % 2], x.channels);
  }
}

void winograd_convolve(const WinogradConvolution& convolution, const KernelTable& table) {
  const Convolver convolver(convolution, table);
  if (convolver.weight.size() * static_cast<std::int64_t>(sizeof(float)) <= kMaxWeightBytes) {
    convolver.by_blocks();
  } else {
    convolver.by_groups();
  }
}

std::int64_t winograd_weight_size(const WinogradConvolution& convolution, const KernelTable& table) {
  return Convolver(convolution, table).weight.size();
}

void winograd_prepare_weight(float* u, const WinogradConvolution& convolution, const KernelTable& table) {
  Convolver(convolution, table).transform_all_weights(u);
}

}  // namespace receptive::ops
