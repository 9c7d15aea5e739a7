// SPDX-License-Identifier: Apache-2.0
// Random changes of a batch of images, [n][height][width][channels] each; what is drawn stands in
// augment_draws.h. The same bits for any number of threads and any instruction set.
#pragma once

#include "ops/augment_draws.h"
#include "ops/rand_augment.h"

namespace receptive::ops {

void flip_images(float* y, const float* x, const AugmentedBatch& batch, const Flip& flip);
void crop_images(float* y, const float* x, const AugmentedBatch& batch, const Crop& crop);
void cut_out(float* y, const float* x, const AugmentedBatch& batch, const Cutout& cutout);
void warp_affine(float* y, const float* x, const AugmentedBatch& batch, const Affine& affine);
void warp_elastic(float* y, const float* x, const AugmentedBatch& batch, const Elastic& elastic);
void jitter_colours(float* y, const float* x, const AugmentedBatch& batch, const ColourJitter& jitter);
void rand_augment(float* y, const float* x, const AugmentedBatch& batch, const RandAugment& options);
void mix_images(float* y, const float* x, const AugmentedBatch& batch, const Mix& mix);

// targets [n][classes]: the labels of the images that mix_images gives, as shares of the classes
void mix_labels(float* targets, const std::int32_t* labels, std::int64_t classes, const AugmentedBatch& batch,
                const Mix& mix);

}  // namespace receptive::ops
