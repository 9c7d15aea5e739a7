// SPDX-License-Identifier: Apache-2.0
// Cross-entropy with class weights, smoothed and soft labels in double precision.
#pragma once

#include <cstdint>

#include "ops/cross_entropy.h"

namespace receptive::reference {

void cross_entropy_labels(double* loss, double* d_logits, const double* logits, const std::int32_t* labels,
                          std::int64_t rows, std::int64_t classes,
                          const ops::CrossEntropyOptions<double>& options);

void cross_entropy_targets(double* loss, double* d_logits, double* d_targets, const double* logits,
                           const double* targets, std::int64_t rows, std::int64_t classes,
                           const ops::CrossEntropyOptions<double>& options);

}  // namespace receptive::reference
