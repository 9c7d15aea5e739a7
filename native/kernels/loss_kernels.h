// SPDX-License-Identifier: Apache-2.0
// Contracts of the loss kernels: a loss and its gradient in one pass. The same codes and structs serve ops/
// and plan/.
#pragma once

#include <cstdint>

namespace receptive {

// Losses of numbers, element by element; the codes that instructions carry (lib/ops/pointwise-loss.ts).
enum PointwiseLoss : int {
  kMse,              // (x - t)^2
  kL1,               // |x - t|
  kHuber,            // (x - t)^2 / 2 up to delta, delta (|x - t| - delta / 2) beyond
  kBceWithLogits,    // (1 - t) softplus(x) + positive t softplus(-x)
  kKlDivergence,     // t (log t - x), 0 log 0 = 0
  kKlDivergenceLog,  // e^t (t - x)
  kPointwiseLosses
};

// Arrays of a range of elements. Where d_input, d_target are nullptr they are not written; where the weights
// are nullptr they are 1.
struct PointwiseArrays {
  float *loss, *d_input, *d_target;
  const float *input, *target, *weight, *positive;
};

// delta: of kHuber. Each loss is multiplied by loss_factor, each gradient by gradient_factor.
struct PointwiseNumbers {
  float delta, loss_factor, gradient_factor;
};

// Rows of logits and what their losses are written to; nullptr where nobody needs it. Each gradient is
// multiplied by `scale`, losses are not. No two arrays overlap.
struct CrossEntropyRows {
  float *losses, *d_logits;
  const float* logits;
  std::int64_t rows, classes;
  float scale;
};

struct LossKernels {
  void (*pointwise[kPointwiseLosses])(const PointwiseArrays& arrays, const PointwiseNumbers& by,
                                      std::int64_t count);

  // Target weights of a row with label y: at_label[y] at y, and base[c] at each class c besides; base_total
  // is their sum. base may be nullptr for zeros. The loss of a row is -sum of weight[c] * log
  // softmax(logits)[c]; rows whose label is `ignored` have loss and gradient 0, the other labels must be in
  // range. Returns the sum of the losses.
  double (*cross_entropy_labels)(const CrossEntropyRows& of, const std::int32_t* labels,
                                 const float* at_label, const float* base, float base_total,
                                 std::int64_t ignored);

  // The same with target weights slope[c] * targets[row][c] + base[c]. d_targets, where it is not nullptr,
  // gets the gradient of the targets.
  double (*cross_entropy_targets)(const CrossEntropyRows& of, float* d_targets, const float* targets,
                                  const float* slope, const float* base);

  // out[row][c] = in[row][c] * factors[row]; out may be in.
  void (*scale_rows)(float* out, const float* in, const float* factors, std::int64_t rows,
                     std::int64_t columns);
};

}  // namespace receptive
