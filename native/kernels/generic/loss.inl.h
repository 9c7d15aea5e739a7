// SPDX-License-Identifier: Apache-2.0
// All losses over the vector vocabulary. Include after a vec.h.
#pragma once

#include "kernels/generic/cross_entropy.inl.h"
#include "kernels/generic/pointwise_loss.inl.h"

namespace receptive {
namespace {

constexpr LossKernels kLossKernels = {
    {
        pointwise_loss<MseLoss>,
        pointwise_loss<L1Loss>,
        pointwise_loss<HuberLoss>,
        pointwise_loss<BceWithLogitsLoss>,
        pointwise_loss<KlDivergenceLoss>,
        pointwise_loss<KlDivergenceLogLoss>,
    },
    cross_entropy_labels,
    cross_entropy_targets,
    scale_rows,
};

}  // namespace
}  // namespace receptive
