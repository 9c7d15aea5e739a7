// SPDX-License-Identifier: Apache-2.0
// Cross-entropy of rows of logits with class weights, smoothed labels, soft labels and labels that do not
// count, and its gradients in the same pass. The plain case is in ops/softmax.h.
#pragma once

#include <cstdint>

namespace receptive::ops {

// What becomes of the losses of all rows; the codes that instructions carry (lib/ops/reduction.ts).
enum class Reduction : int { kMean, kSum, kNone };

template <typename Float>
struct CrossEntropyOptions {
  const Float* weight;  // of each class; nullptr for 1
  Reduction reduction;
  double smoothing;      // share of a target that is spread over all classes
  std::int64_t ignored;  // rows of this label do not count
};

// What the losses of labels are divided by for a mean: the sum of the weights of the rows that count.
template <typename Float>
double counted_weight(const std::int32_t* labels, std::int64_t rows,
                      const CrossEntropyOptions<Float>& options) {
  double total = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    if (labels[row] == options.ignored) continue;
    total += options.weight == nullptr ? 1.0 : static_cast<double>(options.weight[labels[row]]);
  }
  return total;
}

// loss: [rows] for kNone, else [1]. Gradients are those of the sum of what is written there; nullptr where
// nobody needs them. Labels must be in range or `ignored`. A mean over no row at all is NaN, its gradient 0.
void cross_entropy_labels(float* loss, float* d_logits, const float* logits, const std::int32_t* labels,
                          std::int64_t rows, std::int64_t classes, const CrossEntropyOptions<float>& options);

// Targets are weights of all classes for each row, [rows][classes]; the mean is over rows.
void cross_entropy_targets(float* loss, float* d_logits, float* d_targets, const float* logits,
                           const float* targets, std::int64_t rows, std::int64_t classes,
                           const CrossEntropyOptions<float>& options);

}  // namespace receptive::ops
