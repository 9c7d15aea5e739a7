// SPDX-License-Identifier: Apache-2.0
#include "ops/batch_norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/select.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kChunk = 1 << 13;  // floats a task takes: 32 KiB stay in the near cache for two passes
constexpr std::int64_t kMinChunkRows = 32;   // merging costs one row's worth of work a chunk, at double width
constexpr std::int64_t kMergeChannels = 16;  // columns that a task merges

std::int64_t chunk_rows(const BatchNormSize& size) { return std::max(kMinChunkRows, kChunk / size.channels); }
std::int64_t chunk_count(const BatchNormSize& size) {
  return (size.rows + chunk_rows(size) - 1) / chunk_rows(size);
}

// Scratch of one call: two numbers a column for each chunk, then three coefficients a column.
struct Scratch {
  float *partials, *coefficients;
  std::int64_t channels;

  explicit Scratch(const BatchNormSize& size) : channels(size.channels) {
    const std::int64_t partial_count = 2 * chunk_count(size) * channels;
    partials = workspace<float>(Slot::kPartials, partial_count + 3 * channels);
    coefficients = partials + partial_count;
  }
  float* first(std::int64_t chunk) const { return partials + 2 * chunk * channels; }
  float* second(std::int64_t chunk) const { return first(chunk) + channels; }
  float* coefficient(int which) const { return coefficients + which * channels; }
};

// body(chunk, first element, rows) in parallel
template <typename Body>
void for_chunks(const BatchNormSize& size, const Body& body) {
  const std::int64_t grain = chunk_rows(size);
  parallel_ranges(size.rows, grain, [&](std::int64_t begin, std::int64_t end) {
    body(begin / grain, begin * size.channels, end - begin);
  });
}

// The same from the last chunk to the first, for the second pass over what the first one read: its end is
// still in the far cache, and the next operation, which begins at the beginning, finds that there.
template <typename Body>
void for_chunks_backwards(const BatchNormSize& size, const Body& body) {
  const std::int64_t grain = chunk_rows(size), chunks = chunk_count(size);
  parallel_for(chunks, [&](std::int64_t task) {
    const std::int64_t begin = (chunks - 1 - task) * grain;
    body(begin * size.channels, std::min(grain, size.rows - begin));
  });
}

void normalize(const BatchNormOperands<float>& to, const Scratch& scratch, const BatchNormSize& size) {
  const auto kernel = kernels().batch_norm->normalize;
  for_chunks_backwards(size, [&](std::int64_t at, std::int64_t rows) {
    kernel(to.y + at, to.x + at, to.residual == nullptr ? nullptr : to.residual + at, scratch.coefficient(0),
           scratch.coefficient(1), to.relu, rows, size.channels);
  });
}

// Column c of y is scale * x + shift, rounded once each: what the mean adds is taken in double precision.
void set_coefficients(const BatchNormOperands<float>& to, const Scratch& scratch, std::int64_t c, double mean,
                      double variance, double eps) {
  const double inverse_std = 1.0 / std::sqrt(variance + eps);
  const float scale = static_cast<float>((to.weight == nullptr ? 1.0 : to.weight[c]) * inverse_std);
  const double bias = to.bias == nullptr ? 0.0 : to.bias[c];
  to.mean[c] = static_cast<float>(mean);
  to.inverse_std[c] = static_cast<float>(inverse_std);
  scratch.coefficient(0)[c] = scale;
  scratch.coefficient(1)[c] = static_cast<float>(bias - mean * static_cast<double>(scale));
}

// Means and sums of squared deviations of a few columns, over chunk after chunk (Chan, Golub and LeVeque
// 1979).
struct MergedMoments {
  double mean[kMergeChannels], m2[kMergeChannels];

  MergedMoments(const Scratch& scratch, const BatchNormSize& size, std::int64_t first_column,
                std::int64_t columns) {
    for (std::int64_t c = 0; c < columns; ++c) mean[c] = m2[c] = 0;
    std::int64_t seen = 0;
    for (std::int64_t chunk = 0; seen < size.rows; ++chunk) {
      const std::int64_t rows = std::min(chunk_rows(size), size.rows - seen);
      const double share = static_cast<double>(rows) / static_cast<double>(seen + rows);
      const double between = static_cast<double>(seen) * share;
      const float *chunk_mean = scratch.first(chunk) + first_column,
                  *chunk_m2 = scratch.second(chunk) + first_column;
      for (std::int64_t c = 0; c < columns; ++c) {
        const double delta = static_cast<double>(chunk_mean[c]) - mean[c];
        mean[c] += delta * share;
        m2[c] += static_cast<double>(chunk_m2[c]) + delta * delta * between;
      }
      seen += rows;
    }
  }
};

// What comes through the ReLU behind, for a chunk: it stays in the near cache for the sums.
void pass(const BatchNormGradients<float>& of, std::int64_t at, std::int64_t count) {
  float* passed = of.passed + at;
  const float* dy = of.dy + at;
  if (of.other != nullptr) {
    kernels().vector->add(passed, dy, of.other + at, count);
    dy = passed;
  }
  kernels().activation->relu.backward(passed, dy, of.relu_output + at, count, {});
}

void update(float* running, double momentum, double value) {
  *running = static_cast<float>((1.0 - momentum) * static_cast<double>(*running) + momentum * value);
}

}  // namespace

void batch_norm_forward(const BatchNormOperands<float>& to, const RunningStatistics<float>& running,
                        const BatchNormSize& size, double eps) {
  const Scratch scratch(size);
  const auto kernel = kernels().batch_norm->moments;
  const float* origin = to.x;  // the first row: what all chunks count from
  for_chunks(size, [&](std::int64_t chunk, std::int64_t at, std::int64_t rows) {
    kernel(scratch.first(chunk), scratch.second(chunk), to.x + at, origin, rows, size.channels);
  });
  const double rows = static_cast<double>(size.rows);
  parallel_ranges(size.channels, kMergeChannels, [&](std::int64_t begin, std::int64_t end) {
    const MergedMoments merged(scratch, size, begin, end - begin);
    for (std::int64_t c = begin; c < end; ++c) {
      const double mean = static_cast<double>(origin[c]) + merged.mean[c - begin], m2 = merged.m2[c - begin];
      set_coefficients(to, scratch, c, mean, m2 / rows, eps);
      if (running.mean != nullptr) update(running.mean + c, running.momentum, mean);
      if (running.variance != nullptr) update(running.variance + c, running.momentum, m2 / (rows - 1.0));
    }
  });
  normalize(to, scratch, size);
}

void batch_norm_eval(const BatchNormOperands<float>& to, const float* running_mean, const float* running_var,
                     const BatchNormSize& size, double eps) {
  const Scratch scratch(size);
  for (std::int64_t c = 0; c < size.channels; ++c)
    set_coefficients(to, scratch, c, running_mean[c], running_var[c], eps);
  normalize(to, scratch, size);
}

void batch_norm_backward(const BatchNormGradients<float>& given, const BatchNormSize& size) {
  const Scratch scratch(size);
  const BatchNormKernels& kernel = *kernels().batch_norm;
  BatchNormGradients<float> of = given;
  if (of.passed != nullptr) {  // written chunk by chunk, while the sums are taken
    of.dy = of.passed;
    of.relu_output = nullptr;
  }
  const auto relu_output = [&](std::int64_t at) {
    return of.relu_output == nullptr ? nullptr : of.relu_output + at;
  };
  const bool needs_sums = of.batch_statistics || of.dweight != nullptr || of.dbias != nullptr;
  if (needs_sums || of.passed != nullptr) {
    for_chunks(size, [&](std::int64_t chunk, std::int64_t at, std::int64_t rows) {
      if (of.passed != nullptr) pass(given, at, rows * size.channels);
      if (!needs_sums) return;
      kernel.gradient_sums(scratch.first(chunk), scratch.second(chunk), of.dy + at, relu_output(at),
                           of.x + at, of.mean, rows, size.channels);
    });
  }
  const std::int64_t chunks = needs_sums ? chunk_count(size) : 0;
  const double from_batch = of.batch_statistics ? 1.0 / static_cast<double>(size.rows) : 0.0;
  parallel_ranges(size.channels, kMergeChannels, [&](std::int64_t begin, std::int64_t end) {
    double dy_sum[kMergeChannels] = {}, product_sum[kMergeChannels] = {};
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
      for (std::int64_t c = begin; c < end; ++c) {
        dy_sum[c - begin] += static_cast<double>(scratch.first(chunk)[c]);
        product_sum[c - begin] += static_cast<double>(scratch.second(chunk)[c]);
      }
    }
    for (std::int64_t c = begin; c < end; ++c) {
      const double inverse_std = of.inverse_std[c], dbias = dy_sum[c - begin];
      const double dweight = product_sum[c - begin] * inverse_std;
      if (of.dbias != nullptr) of.dbias[c] = static_cast<float>(dbias);
      if (of.dweight != nullptr) of.dweight[c] = static_cast<float>(dweight);
      // dx = weight * inverse_std * (dy - mean of dy - normalised x * mean of dy * normalised x)
      const double factor = (of.weight == nullptr ? 1.0 : of.weight[c]) * inverse_std;
      scratch.coefficient(0)[c] = static_cast<float>(factor);
      scratch.coefficient(1)[c] = static_cast<float>(-factor * inverse_std * dweight * from_batch);
      scratch.coefficient(2)[c] = static_cast<float>(-factor * dbias * from_batch);
    }
  });
  if (of.dx == nullptr) return;
  for_chunks_backwards(size, [&](std::int64_t at, std::int64_t rows) {
    kernel.grad_input(of.dx + at, of.dy + at, relu_output(at), of.x + at, of.mean, scratch.coefficient(0),
                      scratch.coefficient(1), scratch.coefficient(2), rows, size.channels);
  });
}

}  // namespace receptive::ops
