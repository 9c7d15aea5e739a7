// SPDX-License-Identifier: Apache-2.0
// dW = G' (sum over tiles of (A dy A') (x) (B' x B)) G: for each frequency a GEMM whose long dimension is the
// sum over tiles. Sums are chains of at most kChain tiles, added in a fixed order.
#include <algorithm>

#include "kernels/select.h"
#include "ops/brgemm.h"
#include "ops/reduce.h"
#include "ops/winograd.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// Tiles of one chain of sums. One chain of thousands of tiles is 4 times less accurate; shorter ones write
// the sums more often.
constexpr std::int64_t kChain = 64;
// Sums of this size, 128x128 channels with F(4x4), stay near the core while a task goes through its tiles.
constexpr std::int64_t kMaxSumBytes = 36 * (128 * 128 + 16) * 4;
// Tiles of a block: of more than 32 channels on both sides, 64 take the place of the sums in the near cache
// (1 to 3 % slower); of fewer they divide the cost of adding to the sums (6 % faster). A chunk is cut into
// blocks of about this size: 196 tiles into 6 of 33, without a seventh of 4 that adds to all sums for little
// (64 channels at 56x56, 16 images, two threads: 0 to 4 % faster, 6.4 ms).
constexpr std::int64_t kBlockTiles = 32, kNarrowBlockTiles = 64, kNarrowChannels = 64;
constexpr std::int64_t kChunkTiles = 128, kMaxChunks = 16;
// Transformed tiles of x and dy that a round may take where the sums are larger.
constexpr std::int64_t kMaxTilesBytes = 20 << 20;
constexpr std::int64_t kGroup = 64;  // channels of either side that a task takes there: sums of 0.7 MiB

struct GradWeight {
  const Conv2dGeometry& g;
  const WinogradTransforms& transforms;
  const KernelTable& table;
  ImageBatch<const float> x, dy;
  TileGrid grid;
  const float* zeros;

  GradWeight(const float* dy_data, const float* x_data, const Conv2dGeometry& geometry, WinogradTile tile,
             const KernelTable& kernels)
      : g(geometry),
        transforms(winograd_transforms(tile, kernels)),
        table(kernels),
        x{x_data, g.batch, g.in_h, g.in_w, g.in_c},
        dy{dy_data, g.batch, g.out_h, g.out_w, g.out_c},
        grid(g.batch, g.out_h, g.out_w, transforms.outputs),
        zeros(zero_row(std::max(g.in_c, g.out_c))) {}

  TileStreams streams(std::int64_t rows, std::int64_t channels) const {
    return TileStreams(rows, channels, transforms.inputs);
  }

  void transform_x(float* v, const TileStreams& streams, std::int64_t begin, std::int64_t end) const {
    input_tiles(transforms, v, streams, x, grid, g.pad_top, g.pad_left, begin, end, zeros);
  }

  void transform_dy(float* w, const TileStreams& streams, std::int64_t begin, std::int64_t end) const {
    const int side = transforms.outputs;
    const float* pixels[2][16];
    const auto point_at = [&](std::int64_t tile) {
      dy.point_at(pixels[tile % 2], side, grid.image(tile), grid.row(tile) * side, grid.column(tile) * side,
                  zeros);
    };
    point_at(begin);
    for (std::int64_t tile = begin; tile < end; ++tile, w += streams.row) {
      const bool more = tile + 1 < grid.count;
      if (more) point_at(tile + 1);
      // Asking for the next tile makes those of 2x2 pixels 7 % faster (32 channels), those of 4x4 1 % slower.
      const bool asks = more && side == 2;
      transforms.output_adjoint(w, streams.frequency, pixels[tile % 2], pixels[(tile + asks) % 2], g.out_c);
    }
  }

  // The rows of w and v that the chain from tile `first` of frequency f reads: share `part` of `parts`.
  void prefetch(int f, std::int64_t first, std::int64_t tiles, const float* w, const TileStreams& w_streams,
                std::int64_t out_c, const float* v, const TileStreams& v_streams, std::int64_t in_c,
                std::int64_t part, std::int64_t parts) const {
    const std::int64_t length = std::min(kChain, tiles - first);
    const std::int64_t begin = part * length / parts, end = (part + 1) * length / parts;
    table.winograd->prefetch(w + f * w_streams.frequency + (first + begin) * w_streams.row, w_streams.row,
                             end - begin, out_c);
    table.winograd->prefetch(v + f * v_streams.frequency + (first + begin) * v_streams.row, v_streams.row,
                             end - begin, in_c);
  }

  // sums[f] [out_c][in_c] (+)= w[f]' [out_c][tiles] · v[f] [tiles][in_c]. Where w and v are `far`, each tile
  // of the product asks for a share of what the next chain reads.
  void multiply(float* sums, const TileStreams& s_streams, const float* w, const TileStreams& w_streams,
                std::int64_t out_c, const float* v, const TileStreams& v_streams, std::int64_t in_c,
                std::int64_t tiles, bool accumulate, bool far) const {
    const GemmKernels& gemm = *table.gemm;
    const float* a_rows[kMaxTileRows];
    float* c_rows[kMaxTileRows];
    GemmTile tile;
    tile.a_rows = a_rows;
    tile.c_rows = c_rows;
    tile.a_stride = w_streams.row;
    tile.a_offset = 0;
    tile.runs = 1;
    tile.b_run_stride = 0;
    tile.b_stride = v_streams.row;
    tile.relu = false;
    tile.bias = nullptr;
    for (int f = 0; f < s_streams.frequencies; ++f, sums += s_streams.frequency) {
      for (std::int64_t first = 0; first < tiles; first += kChain) {
        tile.run_length = std::min(kChain, tiles - first);
        tile.accumulate = accumulate || first > 0;
        const float* w_rows = w + f * w_streams.frequency + first * w_streams.row;
        for (std::int64_t column = 0; column < in_c; column += gemm.max_columns) {
          tile.columns = static_cast<int>(std::min<std::int64_t>(gemm.max_columns, in_c - column));
          tile.b = v + f * v_streams.frequency + first * v_streams.row + column;
          const int tile_rows = tile_rows_for(tile.columns, gemm);
          for (std::int64_t oc = 0; oc < out_c; oc += tile_rows) {
            tile.rows = static_cast<int>(std::min<std::int64_t>(tile_rows, out_c - oc));
            for (int i = 0; i < tile.rows; ++i) {
              a_rows[i] = w_rows + oc + i;
              c_rows[i] = sums + (oc + i) * s_streams.row + column;
            }
            if (far && column == 0) {
              const bool is_last = first + kChain >= tiles;
              if (!is_last || f + 1 < s_streams.frequencies) {
                prefetch(is_last ? f + 1 : f, is_last ? 0 : first + kChain, tiles, w, w_streams, out_c, v,
                         v_streams, in_c, oc / tile_rows, (out_c + tile_rows - 1) / tile_rows);
              }
            }
            gemm.tile(tile);
          }
        }
      }
    }
  }

  void transform_back(float* dweight, const float* sums, const TileStreams& streams, std::int64_t out_c,
                      std::int64_t in_c, bool accumulate) const {
    for (std::int64_t oc = 0; oc < out_c; ++oc) {
      transforms.weight_adjoint(dweight + oc * g.patch(), g.in_c, sums + oc * streams.row, streams.frequency,
                                in_c, accumulate);
    }
  }

  // A fixed number of chunks of tiles, each from the pixels to a gradient of its own; then their sum.
  void by_chunks(float* dweight) const {
    const std::int64_t chunks = std::clamp<std::int64_t>(
        grid.count / kChunkTiles, std::min<std::int64_t>(4, (grid.count + 31) / 32), kMaxChunks);
    float* partials = chunks == 1 ? dweight : workspace<float>(Slot::kPartials, chunks * g.weight_size());
    const std::int64_t most = (grid.count + chunks - 1) / chunks;  // tiles of a chunk
    const std::int64_t wanted = g.in_c + g.out_c <= kNarrowChannels ? kNarrowBlockTiles : kBlockTiles;
    const std::int64_t blocks = std::max<std::int64_t>(1, (most + wanted / 2) / wanted);
    const std::int64_t block = (most + blocks - 1) / blocks;
    parallel_for(chunks, [&](std::int64_t chunk) {
      const std::int64_t end = (chunk + 1) * grid.count / chunks, start = chunk * grid.count / chunks;
      const TileStreams v_streams = streams(block, g.in_c), w_streams = streams(block, g.out_c);
      const TileStreams s_streams = streams(g.out_c, g.in_c);
      float* v = workspace<float>(Slot::kTaskPanel, v_streams.size() + w_streams.size());
      float* w = v + v_streams.size();
      float* sums = workspace<float>(Slot::kTaskResult, s_streams.size());
      for (std::int64_t first = start; first < end; first += block) {
        const std::int64_t last = std::min(first + block, end);
        transform_x(v, v_streams, first, last);
        transform_dy(w, w_streams, first, last);
        multiply(sums, s_streams, w, w_streams, g.out_c, v, v_streams, g.in_c, last - first, first > start,
                 false);
      }
      transform_back(partials + chunk * g.weight_size(), sums, s_streams, g.out_c, g.in_c, false);
    });
    if (chunks > 1) sum_partials(dweight, partials, chunks, g.weight_size(), g.weight_size());
  }

  // Rounds of tiles: all their transforms first, then groups of channels on their own.
  void by_groups(float* dweight) const {
    const std::int64_t tile_bytes =
        (streams(1, g.in_c).size() + streams(1, g.out_c).size()) * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t fitting = std::max<std::int64_t>(1, kMaxTilesBytes / tile_bytes);
    const std::int64_t rounds = (grid.count + fitting - 1) / fitting,
                       round = (grid.count + rounds - 1) / rounds;
    const TileStreams v_streams = streams(round, g.in_c), w_streams = streams(round, g.out_c);
    float* v = workspace<float>(Slot::kPadded, v_streams.size() + w_streams.size());
    float* w = v + v_streams.size();
    const std::int64_t in_groups = (g.in_c + kGroup - 1) / kGroup;
    const std::int64_t out_groups = (g.out_c + kGroup - 1) / kGroup;
    for (std::int64_t begin = 0; begin < grid.count; begin += round) {
      const std::int64_t tiles = std::min(round, grid.count - begin);
      parallel_ranges(tiles, 4, [&](std::int64_t first, std::int64_t last) {
        transform_x(v + first * v_streams.row, v_streams, begin + first, begin + last);
        transform_dy(w + first * w_streams.row, w_streams, begin + first, begin + last);
      });
      parallel_for(in_groups * out_groups, [&](std::int64_t task) {
        const std::int64_t oc = task / in_groups * kGroup, ic = task % in_groups * kGroup;
        const std::int64_t out_c = std::min(kGroup, g.out_c - oc), in_c = std::min(kGroup, g.in_c - ic);
        const TileStreams s_streams = streams(kGroup, kGroup);
        float* sums = workspace<float>(Slot::kTaskResult, s_streams.size());
        multiply(sums, s_streams, w + oc, w_streams, out_c, v + ic, v_streams, in_c, tiles, false, true);
        transform_back(dweight + oc * g.patch() + ic, sums, s_streams, out_c, in_c, begin > 0);
      });
    }
  }

  std::int64_t sum_bytes() const {
    return streams(g.out_c, g.in_c).size() * static_cast<std::int64_t>(sizeof(float));
  }
};

}  // namespace

void conv2d_grad_weight_winograd(float* dweight, float* dbias, const float* dy, const float* x,
                                 const Conv2dGeometry& g, WinogradTile tile) {
  const GradWeight gradient(dy, x, g, tile, kernels());
  if (gradient.sum_bytes() <= kMaxSumBytes) {
    gradient.by_chunks(dweight);
  } else {
    gradient.by_groups(dweight);
  }
  if (dbias != nullptr) column_sum(dbias, dy, g.output_pixels(), g.out_c);
}

}  // namespace receptive::ops
