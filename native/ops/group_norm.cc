// SPDX-License-Identifier: Apache-2.0
// A sample is a matrix here, a row a pixel: the kernels of batch normalisation take its statistics column by
// column, and those of a group's columns are put together.
#include "ops/group_norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/select.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// As in ops/batch_norm.cc: floats of a chunk, and rows that its merging must pay for.
constexpr std::int64_t kChunk = 1 << 13, kMinChunkRows = 32;

// The chunks of all samples and the scratch of a call: two numbers a column for each chunk, then four
// a column for each sample, of which the last is the mean on the way back.
struct Work {
  const GroupNormSize& size;
  std::int64_t channels, rows, chunks;
  float *partials, *coefficients;

  explicit Work(const GroupNormSize& of) : size(of), channels(of.channels()) {
    rows = std::min(of.pixels, std::max(kMinChunkRows, kChunk / channels));
    chunks = (of.pixels + rows - 1) / rows;
    const std::int64_t count = of.samples * chunks * 2 * channels;
    partials = workspace<float>(Slot::kPartials, count + of.samples * 4 * channels);
    coefficients = partials + count;
  }

  std::int64_t rows_of(std::int64_t chunk) const { return std::min(rows, size.pixels - chunk * rows); }
  float* first(std::int64_t sample, std::int64_t chunk) const {
    return partials + (sample * chunks + chunk) * 2 * channels;
  }
  float* second(std::int64_t sample, std::int64_t chunk) const { return first(sample, chunk) + channels; }
  float* coefficient(std::int64_t sample, int which) const {
    return coefficients + (sample * 4 + which) * channels;
  }

  // body(sample, chunk, first element) in parallel
  template <typename Body>
  void for_chunks(const Body& body) const {
    parallel_for(size.samples * chunks, [&](std::int64_t task) {
      const std::int64_t sample = task / chunks, chunk = task % chunks;
      body(sample, chunk, sample * size.sample() + chunk * rows * channels);
    });
  }

  // The same from the last chunk to the first: the end of what the pass before read is still in the far
  // cache.
  template <typename Body>
  void for_chunks_backwards(const Body& body) const {
    const std::int64_t tasks = size.samples * chunks;
    parallel_for(tasks, [&](std::int64_t task) {
      const std::int64_t sample = (tasks - 1 - task) / chunks, chunk = (tasks - 1 - task) % chunks;
      body(sample, chunk, sample * size.sample() + chunk * rows * channels);
    });
  }
};

struct Moments {
  double mean, variance;
};

// Of the columns of a group, over all chunks: first the mean, then what lies around it.
Moments group_moments(const Work& work, const float* origin, std::int64_t sample, std::int64_t group) {
  const std::int64_t begin = group * work.size.width, end = begin + work.size.width;
  const double count = static_cast<double>(work.size.pixels * work.size.width);
  const auto mean_of = [&](std::int64_t chunk, std::int64_t c) {
    return static_cast<double>(origin[c]) + static_cast<double>(work.first(sample, chunk)[c]);
  };
  Moments result = {0, 0};
  for (std::int64_t chunk = 0; chunk < work.chunks; ++chunk) {
    const double rows = static_cast<double>(work.rows_of(chunk));
    for (std::int64_t c = begin; c < end; ++c) result.mean += rows * mean_of(chunk, c);
  }
  result.mean /= count;
  for (std::int64_t chunk = 0; chunk < work.chunks; ++chunk) {
    const double rows = static_cast<double>(work.rows_of(chunk));
    for (std::int64_t c = begin; c < end; ++c) {
      const double between = mean_of(chunk, c) - result.mean;
      result.variance += static_cast<double>(work.second(sample, chunk)[c]) + rows * between * between;
    }
  }
  result.variance /= count;
  return result;
}

// The sum over all chunks, left in the place of the first one.
double add_up(const Work& work, float* (Work::*partial)(std::int64_t, std::int64_t) const,
              std::int64_t sample, std::int64_t c) {
  double total = 0;
  for (std::int64_t chunk = 0; chunk < work.chunks; ++chunk)
    total += static_cast<double>((work.*partial)(sample, chunk)[c]);
  (work.*partial)(sample, 0)[c] = static_cast<float>(total);
  return total;
}

// The coefficients of dx = weight * inverse_std * dy - inverse_std * (mean of g + normalised x * mean of g *
// normalised x) with g = weight * dy, of one group
void set_gradient_coefficients(const GroupNormGradients<float>& of, const Work& work, std::int64_t sample,
                               std::int64_t group) {
  const GroupNormSize& size = work.size;
  const double count = static_cast<double>(size.pixels * size.width);
  const double inverse_std = of.inverse_std[sample * size.groups + group];
  const auto weight = [&](std::int64_t c) { return of.weight == nullptr ? 1.0 : of.weight[c]; };
  double gradients = 0, products = 0;
  const std::int64_t begin = group * size.width, end = begin + size.width;
  for (std::int64_t c = begin; c < end; ++c) {
    gradients += weight(c) * add_up(work, &Work::first, sample, c);
    products += weight(c) * add_up(work, &Work::second, sample, c);
  }
  const double of_x = -inverse_std * inverse_std * inverse_std * products / count;
  for (std::int64_t c = begin; c < end; ++c) {
    work.coefficient(sample, 0)[c] = static_cast<float>(weight(c) * inverse_std);
    work.coefficient(sample, 1)[c] = static_cast<float>(of_x);
    work.coefficient(sample, 2)[c] = static_cast<float>(-inverse_std * gradients / count);
  }
}

void add_weight_gradients(const GroupNormGradients<float>& of, const Work& work, std::int64_t c) {
  const GroupNormSize& size = work.size;
  double dweight = 0, dbias = 0;
  for (std::int64_t sample = 0; sample < size.samples; ++sample) {
    const double inverse_std = of.inverse_std[sample * size.groups + c / size.width];
    dweight += static_cast<double>(work.second(sample, 0)[c]) * inverse_std;
    dbias += static_cast<double>(work.first(sample, 0)[c]);
  }
  if (of.dweight != nullptr) of.dweight[c] = static_cast<float>(dweight);
  if (of.dbias != nullptr) of.dbias[c] = static_cast<float>(dbias);
}

}  // namespace

void group_norm_forward(const GroupNormOperands<float>& to, const GroupNormSize& size, double eps) {
  const Work work(size);
  const BatchNormKernels& kernel = *kernels().batch_norm;
  work.for_chunks([&](std::int64_t sample, std::int64_t chunk, std::int64_t at) {
    kernel.moments(work.first(sample, chunk), work.second(sample, chunk), to.x + at,
                   to.x + sample * size.sample(), work.rows_of(chunk), work.channels);
  });
  parallel_for(size.samples, [&](std::int64_t sample) {
    float *scale = work.coefficient(sample, 0), *shift = work.coefficient(sample, 1);
    for (std::int64_t group = 0; group < size.groups; ++group) {
      const Moments of = group_moments(work, to.x + sample * size.sample(), sample, group);
      const double inverse_std = 1.0 / std::sqrt(of.variance + eps);
      to.mean[sample * size.groups + group] = static_cast<float>(of.mean);
      to.inverse_std[sample * size.groups + group] = static_cast<float>(inverse_std);
      for (std::int64_t c = group * size.width; c < (group + 1) * size.width; ++c) {
        scale[c] = static_cast<float>((to.weight == nullptr ? 1.0 : to.weight[c]) * inverse_std);
        const double bias = to.bias == nullptr ? 0.0 : to.bias[c];
        shift[c] = static_cast<float>(bias - of.mean * static_cast<double>(scale[c]));
      }
    }
  });
  work.for_chunks_backwards([&](std::int64_t sample, std::int64_t chunk, std::int64_t at) {
    kernel.normalize(to.y + at, to.x + at, nullptr, work.coefficient(sample, 0), work.coefficient(sample, 1),
                     false, work.rows_of(chunk), work.channels);
  });
}

void group_norm_backward(const GroupNormGradients<float>& of, const GroupNormSize& size) {
  const Work work(size);
  const BatchNormKernels& kernel = *kernels().batch_norm;
  parallel_for(size.samples, [&](std::int64_t sample) {
    for (std::int64_t group = 0; group < size.groups; ++group) {
      std::fill_n(work.coefficient(sample, 3) + group * size.width, size.width,
                  of.mean[sample * size.groups + group]);
    }
  });
  work.for_chunks([&](std::int64_t sample, std::int64_t chunk, std::int64_t at) {
    kernel.gradient_sums(work.first(sample, chunk), work.second(sample, chunk), of.dy + at, nullptr,
                         of.x + at, work.coefficient(sample, 3), work.rows_of(chunk), work.channels);
  });
  parallel_for(size.samples, [&](std::int64_t sample) {
    for (std::int64_t group = 0; group < size.groups; ++group)
      set_gradient_coefficients(of, work, sample, group);
  });
  if (of.dweight != nullptr || of.dbias != nullptr) {
    parallel_ranges(work.channels, kMinChunkRows, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t c = begin; c < end; ++c) add_weight_gradients(of, work, c);
    });
  }
  if (of.dx == nullptr) return;
  work.for_chunks_backwards([&](std::int64_t sample, std::int64_t chunk, std::int64_t at) {
    kernel.grad_input(of.dx + at, of.dy + at, nullptr, of.x + at, work.coefficient(sample, 3),
                      work.coefficient(sample, 0), work.coefficient(sample, 1), work.coefficient(sample, 2),
                      work.rows_of(chunk), work.channels);
  });
}

}  // namespace receptive::ops
