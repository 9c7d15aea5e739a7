// SPDX-License-Identifier: Apache-2.0
// From the options of clipping to the numbers of the kernels: the same for gradients that are clipped by
// themselves and for those clipped inside an update.
#pragma once

#include "kernels/optimizer_kernels.h"
#include "ops/optimizer.h"

namespace receptive::ops {

inline GradientStep gradient_step(const GradientOptions& options) {
  const float factor = static_cast<float>(options.norm_factor);
  return {options.maximize ? -factor : factor, static_cast<float>(options.limit)};
}

}  // namespace receptive::ops
