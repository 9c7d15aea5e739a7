// SPDX-License-Identifier: Apache-2.0
// Instructions that change the images of a batch at random: (y, x, indices int32 [n]; n, height, width,
// channels, seed low and high, stream, epoch, then numbers of their own). `indices` say which images of the
// data set they are.
#include "ops/augment.h"

#include <cmath>

#include "plan/opcodes.h"
#include "reference/augment.h"
#include "reference/rand_augment.h"

namespace receptive::plan {
namespace {

constexpr int kOwn = 8;  // the first number of an instruction's own
constexpr int kMaxChannels = ops::AugmentedBatch::kMaxChannels;

Status refuse_number(const Arguments& args, int i) {
  return Status::refuse("ERR_ARGUMENT", "parameter " + std::to_string(i) + " in its range",
                        std::to_string(args.number(i)));
}

Status read_numbers_of_batch(const Arguments& args, int own_count, ops::AugmentedBatch* batch) {
  RECEPTIVE_CHECK(args.require_sizes(0, 4, 1));
  *batch = {args.integer(0),           args.integer(1), args.integer(2), args.integer(3), {},
            args.data<std::int32_t>(2)};
  if (batch->channels > kMaxChannels) return refuse_number(args, 3);
  if (args.number(1) * args.number(2) > 0x1p30 || args.number(0) * args.number(1) * args.number(2) > 0x1p40)
    return Status::refuse("ERR_SHAPE", "images that can be addressed", "larger ones");
  for (int i = 4; i < kOwn; ++i)
    if (!(args.number(i) >= 0 && args.number(i) < 0x1p32)) return refuse_number(args, i);
  const auto word = [&](int i) { return static_cast<std::uint32_t>(args.integer(i)); };
  batch->key = {word(4), word(5), word(6), word(7)};
  if (args.param_count() != kOwn + own_count) return refuse_number(args, args.param_count());
  for (int i = kOwn; i < args.param_count(); ++i)
    if (!std::isfinite(args.number(i))) return refuse_number(args, i);
  RECEPTIVE_CHECK(args.require(2, Dtype::kInt32, batch->count));
  return require_range("index", "position", batch->indices, batch->count, std::int64_t{1} << 31);
}

Status read_batch(const Arguments& args, int own_count, ops::AugmentedBatch* batch) {
  RECEPTIVE_CHECK(read_numbers_of_batch(args, own_count, batch));
  const std::int64_t size = batch->count * batch->image_size();
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), size));
  return args.require(1, float_dtype(args), size);
}

// `count` numbers of the instruction's own from `first` on.
void read_numbers(const Arguments& args, int first, std::int64_t count, double* numbers) {
  for (int i = 0; i < count; ++i) numbers[i] = args.number(kOwn + first + i);
}

// Means and deviations of the channels, from the instruction's own number `first` on.
Status read_normalization(const Arguments& args, int first, std::int64_t channels, double* mean,
                          double* deviation) {
  read_numbers(args, first, channels, mean);
  read_numbers(args, first + static_cast<int>(channels), channels, deviation);
  for (std::int64_t c = 0; c < channels; ++c)
    if (!(deviation[c] > 0)) return refuse_number(args, kOwn + first + static_cast<int>(channels + c));
  return Status::success();
}

Status require_own(const Arguments& args, int i, double low, double high) {
  const double value = args.number(kOwn + i);
  return value >= low && value <= high ? Status::success() : refuse_number(args, kOwn + i);
}

ops::Border border_of(const Arguments& args, int i) {
  return static_cast<ops::Border>(args.integer(kOwn + i));
}

template <typename Float, typename Double, typename Options>
void run(const Arguments& args, Float on_floats, Double on_doubles, const ops::AugmentedBatch& batch,
         const Options& options) {
  if (is_double(args)) {
    on_doubles(args.data<double>(0), args.data<double>(1), batch, options);
  } else {
    on_floats(args.data<float>(0), args.data<float>(1), batch, options);
  }
}

int channels_of(const Arguments& args) {
  return args.number(3) >= 1 && args.number(3) <= kMaxChannels ? static_cast<int>(args.integer(3)) : 0;
}

}  // namespace

// p, alternates, vertical
Status flip_images(const Arguments& args) {
  ops::AugmentedBatch batch;
  RECEPTIVE_CHECK(read_batch(args, 3, &batch));
  RECEPTIVE_CHECK(require_own(args, 0, 0, 1));
  const ops::Flip flip = {args.number(kOwn), args.integer(kOwn + 1) != 0, args.integer(kOwn + 2) != 0};
  run(args, ops::flip_images, reference::flip_images, batch, flip);
  return Status::success();
}

// padding, border, fill of each channel
Status crop_images(const Arguments& args) {
  ops::AugmentedBatch batch;
  double fill[kMaxChannels];
  RECEPTIVE_CHECK(read_batch(args, 2 + channels_of(args), &batch));
  RECEPTIVE_CHECK(require_own(args, 0, 0, 1 << 20));
  RECEPTIVE_CHECK(require_own(args, 1, 0, 2));
  read_numbers(args, 2, batch.channels, fill);
  const ops::Crop crop = {args.integer(kOwn), border_of(args, 1), fill};
  run(args, ops::crop_images, reference::crop_images, batch, crop);
  return Status::success();
}

// size, p, fill of each channel
Status cut_out(const Arguments& args) {
  ops::AugmentedBatch batch;
  double fill[kMaxChannels];
  RECEPTIVE_CHECK(read_batch(args, 2 + channels_of(args), &batch));
  RECEPTIVE_CHECK(require_own(args, 0, 1, 1 << 20));
  RECEPTIVE_CHECK(require_own(args, 1, 0, 1));
  read_numbers(args, 2, batch.channels, fill);
  const ops::Cutout cutout = {args.integer(kOwn), args.number(kOwn + 1), fill};
  run(args, ops::cut_out, reference::cut_out, batch, cutout);
  return Status::success();
}

// rotation, shift down, shift right, smallest and largest scale, shear along x and y, border, fill of each
// channel
Status warp_affine(const Arguments& args) {
  ops::AugmentedBatch batch;
  double fill[kMaxChannels], own[7];
  RECEPTIVE_CHECK(read_batch(args, 8 + channels_of(args), &batch));
  for (int i = 0; i < 3; ++i) RECEPTIVE_CHECK(require_own(args, i, 0, 1 << 10));
  for (int i = 3; i < 5; ++i) RECEPTIVE_CHECK(require_own(args, i, 1e-3, 1e3));
  for (int i = 5; i < 7; ++i) RECEPTIVE_CHECK(require_own(args, i, 0, 0.78));  // below 45 degrees
  RECEPTIVE_CHECK(require_own(args, 7, 0, 2));
  read_numbers(args, 0, 7, own);
  read_numbers(args, 8, batch.channels, fill);
  const ops::Affine affine = {own[0], own[1], own[2], own[3], own[4], own[5], own[6], border_of(args, 7),
                              fill};
  run(args, ops::warp_affine, reference::warp_affine, batch, affine);
  return Status::success();
}

// alpha, sigma, border, fill of each channel
Status warp_elastic(const Arguments& args) {
  ops::AugmentedBatch batch;
  double fill[kMaxChannels];
  RECEPTIVE_CHECK(read_batch(args, 3 + channels_of(args), &batch));
  RECEPTIVE_CHECK(require_own(args, 0, 0, 1 << 16));
  RECEPTIVE_CHECK(require_own(args, 1, 0.1, 64));
  RECEPTIVE_CHECK(require_own(args, 2, 0, 2));
  read_numbers(args, 3, batch.channels, fill);
  const ops::Elastic elastic = {args.number(kOwn), args.number(kOwn + 1), border_of(args, 2), fill};
  run(args, ops::warp_elastic, reference::warp_elastic, batch, elastic);
  return Status::success();
}

// brightness, contrast, saturation, hue, mean of each channel, deviation of each channel
Status jitter_colours(const Arguments& args) {
  ops::AugmentedBatch batch;
  double mean[kMaxChannels], deviation[kMaxChannels];
  RECEPTIVE_CHECK(read_batch(args, 4 + 2 * channels_of(args), &batch));
  for (int i = 0; i < 3; ++i) RECEPTIVE_CHECK(require_own(args, i, 0, 1 << 10));
  RECEPTIVE_CHECK(require_own(args, 3, 0, batch.channels == 3 ? 0.5 : 0));
  RECEPTIVE_CHECK(read_normalization(args, 4, batch.channels, mean, deviation));
  const ops::ColourJitter jitter = {
      args.number(kOwn), args.number(kOwn + 1), args.number(kOwn + 2), args.number(kOwn + 3), mean,
      deviation};
  run(args, ops::jitter_colours, reference::jitter_colours, batch, jitter);
  return Status::success();
}

// how many changes, magnitude, mean of each channel, deviation of each channel; of one or three channels
Status rand_augment(const Arguments& args) {
  ops::AugmentedBatch batch;
  double mean[kMaxChannels], deviation[kMaxChannels];
  RECEPTIVE_CHECK(read_batch(args, 2 + 2 * channels_of(args), &batch));
  if (batch.channels != 1 && batch.channels != 3) return refuse_number(args, 3);
  RECEPTIVE_CHECK(require_own(args, 0, 1, 16));
  RECEPTIVE_CHECK(require_own(args, 1, 0, ops::RandAugment::kMostMagnitude));
  RECEPTIVE_CHECK(read_normalization(args, 2, batch.channels, mean, deviation));
  const ops::RandAugment options = {args.integer(kOwn), args.number(kOwn + 1), mean, deviation};
  run(args, ops::rand_augment, reference::rand_augment, batch, options);
  return Status::success();
}

namespace {

Status read_mix(const Arguments& args, ops::Mix* mix) {
  RECEPTIVE_CHECK(require_own(args, 1, 1e-3, 4));
  RECEPTIVE_CHECK(require_own(args, 2, 0, 1));
  *mix = {args.integer(kOwn) != 0, args.number(kOwn + 1), args.number(kOwn + 2)};
  return Status::success();
}

}  // namespace

// whether a box is cut, alpha, p
Status mix_images(const Arguments& args) {
  ops::AugmentedBatch batch;
  ops::Mix mix;
  RECEPTIVE_CHECK(read_batch(args, 3, &batch));
  RECEPTIVE_CHECK(read_mix(args, &mix));
  run(args, ops::mix_images, reference::mix_images, batch, mix);
  return Status::success();
}

// (targets [n][classes], labels int32 [n], indices; the numbers of mix_images, classes)
Status mix_labels(const Arguments& args) {
  ops::AugmentedBatch batch;
  ops::Mix mix;
  RECEPTIVE_CHECK(read_numbers_of_batch(args, 4, &batch));
  RECEPTIVE_CHECK(read_mix(args, &mix));
  RECEPTIVE_CHECK(args.require_sizes(kOwn + 3, 1, 1));
  const std::int64_t classes = args.integer(kOwn + 3);
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), batch.count * classes));
  RECEPTIVE_CHECK(args.require(1, Dtype::kInt32, batch.count));
  const std::int32_t* labels = args.data<std::int32_t>(1);
  RECEPTIVE_CHECK(require_range("label", "row", labels, batch.count, classes));
  if (is_double(args)) {
    reference::mix_labels(args.data<double>(0), labels, classes, batch, mix);
  } else {
    ops::mix_labels(args.data<float>(0), labels, classes, batch, mix);
  }
  return Status::success();
}

}  // namespace receptive::plan
