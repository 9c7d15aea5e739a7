// SPDX-License-Identifier: Apache-2.0
#include "ops/softmax.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "runtime/workspace.h"

namespace receptive::ops {

// An exponential costs about four times what a plain elementwise function does.
std::int64_t softmax_rows_per_task(std::int64_t classes) {
  return std::max<std::int64_t>(1, kElementwiseGrain / 4 / classes);
}

namespace {

// kernel(out, in..., rows, classes) on ranges of rows
template <typename Kernel, typename... In>
void for_rows(Kernel kernel, std::int64_t rows, std::int64_t classes, float* out, const In*... in) {
  parallel_ranges(rows, softmax_rows_per_task(classes), [=](std::int64_t begin, std::int64_t end) {
    kernel(out + begin * classes, (in + begin * classes)..., end - begin, classes);
  });
}

}  // namespace

void softmax_forward(float* y, const float* x, std::int64_t rows, std::int64_t classes) {
  for_rows(kernels().softmax->forward, rows, classes, y, x);
}

void softmax_backward(float* dx, const float* dy, const float* y, std::int64_t rows, std::int64_t classes) {
  for_rows(kernels().softmax->backward, rows, classes, dx, dy, y);
}

void log_softmax_forward(float* y, const float* x, std::int64_t rows, std::int64_t classes) {
  for_rows(kernels().softmax->log_forward, rows, classes, y, x);
}

void log_softmax_backward(float* dx, const float* dy, const float* y, std::int64_t rows,
                          std::int64_t classes) {
  for_rows(kernels().softmax->log_backward, rows, classes, dx, dy, y);
}

float softmax_cross_entropy(float* dlogits, const float* logits, const std::int32_t* labels,
                            std::int64_t rows, std::int64_t classes) {
  const auto kernel = kernels().softmax->cross_entropy;
  const std::int64_t grain = softmax_rows_per_task(classes), tasks = (rows + grain - 1) / grain;
  const float scale = static_cast<float>(1.0 / static_cast<double>(rows));
  double* losses = workspace<double>(Slot::kPartials, tasks);
  parallel_ranges(rows, grain, [=](std::int64_t begin, std::int64_t end) {
    losses[begin / grain] = kernel(dlogits == nullptr ? nullptr : dlogits + begin * classes,
                                   logits + begin * classes, labels + begin, end - begin, classes, scale);
  });
  double total = 0;
  for (std::int64_t task = 0; task < tasks; ++task) total += losses[task];
  return static_cast<float>(total / static_cast<double>(rows));
}

}  // namespace receptive::ops
