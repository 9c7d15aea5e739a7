// SPDX-License-Identifier: Apache-2.0
#include "ops/cross_entropy.h"

#include "kernels/select.h"
#include "ops/softmax.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// Sums of the tasks, and what the options make of each class: its target weight is slope * target + base.
struct Shared {
  double* sums;
  float *slope, *base, base_total;
};

Shared share(std::int64_t tasks, std::int64_t classes, const CrossEntropyOptions<float>& options) {
  Shared shared;
  shared.sums = workspace<double>(Slot::kPartials, tasks + classes);
  shared.slope = reinterpret_cast<float*>(shared.sums + tasks);
  shared.base = shared.slope + classes;
  double total = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    const double weight = options.weight == nullptr ? 1.0 : static_cast<double>(options.weight[c]);
    shared.slope[c] = static_cast<float>((1 - options.smoothing) * weight);
    shared.base[c] = static_cast<float>(options.smoothing / static_cast<double>(classes) * weight);
    total += static_cast<double>(shared.base[c]);
  }
  shared.base_total = static_cast<float>(total);
  return shared;
}

// Runs kernel(rows of the task, first row) for each task. `divisor` is that of a mean.
template <typename Kernel>
void run(float* loss, float* d_logits, const float* logits, std::int64_t rows, std::int64_t classes,
         Reduction reduction, double divisor, double* sums, const Kernel& kernel) {
  const std::int64_t grain = softmax_rows_per_task(classes);
  const bool is_mean = reduction == Reduction::kMean, keeps = reduction == Reduction::kNone;
  const float scale = is_mean ? static_cast<float>(1.0 / divisor) : 1.0f;
  parallel_ranges(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    const CrossEntropyRows of = {keeps ? loss + begin : nullptr,
                                 d_logits == nullptr ? nullptr : d_logits + begin * classes,
                                 logits + begin * classes,
                                 end - begin,
                                 classes,
                                 scale};
    sums[begin / grain] = kernel(of, begin);
  });
  if (keeps) return;
  double total = 0;
  for (std::int64_t task = 0; task < (rows + grain - 1) / grain; ++task) total += sums[task];
  *loss = static_cast<float>(is_mean ? total / divisor : total);
}

std::int64_t task_count(std::int64_t rows, std::int64_t classes) {
  const std::int64_t grain = softmax_rows_per_task(classes);
  return (rows + grain - 1) / grain;
}

}  // namespace

void cross_entropy_labels(float* loss, float* d_logits, const float* logits, const std::int32_t* labels,
                          std::int64_t rows, std::int64_t classes,
                          const CrossEntropyOptions<float>& options) {
  const auto kernel = kernels().loss->cross_entropy_labels;
  const Shared shared = share(task_count(rows, classes), classes, options);
  const float* base = options.smoothing == 0 ? nullptr : shared.base;
  run(loss, d_logits, logits, rows, classes, options.reduction, counted_weight(labels, rows, options),
      shared.sums, [&](const CrossEntropyRows& of, std::int64_t first) {
        return kernel(of, labels + first, shared.slope, base, shared.base_total, options.ignored);
      });
}

void cross_entropy_targets(float* loss, float* d_logits, float* d_targets, const float* logits,
                           const float* targets, std::int64_t rows, std::int64_t classes,
                           const CrossEntropyOptions<float>& options) {
  const auto kernel = kernels().loss->cross_entropy_targets;
  const Shared shared = share(task_count(rows, classes), classes, options);
  run(loss, d_logits, logits, rows, classes, options.reduction, static_cast<double>(rows), shared.sums,
      [&](const CrossEntropyRows& of, std::int64_t first) {
        float* own = d_targets == nullptr ? nullptr : d_targets + first * classes;
        return kernel(of, own, targets + first * classes, shared.slope, shared.base);
      });
}

}  // namespace receptive::ops
