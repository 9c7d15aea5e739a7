// SPDX-License-Identifier: Apache-2.0
// Instructions that gather a batch from a data set.
#include "ops/gather.h"

#include "ops/gather_file.h"
#include "plan/opcodes.h"
#include "reference/gather.h"

namespace receptive::plan {
namespace {

constexpr int kFirstMean = 3;
constexpr int kFileNumbers = 6;  // behind the normalisation, where images come from a file

// `more`: numbers that follow
Status read_normalization(const Arguments& args, int more, Normalization* by, double* numbers) {
  RECEPTIVE_CHECK(args.require_sizes(2, 1, 1));
  const std::int64_t channels = args.integer(2);
  if (channels > Normalization::kMaxChannels || args.integer(1) % channels != 0)
    return Status::refuse("ERR_ARGUMENT", "at most 16 channels that divide the image's size",
                          std::to_string(channels) + " channels");
  if (args.param_count() != kFirstMean + 2 * channels + more)
    return Status::refuse("ERR_ARGUMENT", "a mean and an inverse deviation per channel",
                          std::to_string(args.param_count() - kFirstMean) + " numbers");
  by->channels = static_cast<int>(channels);
  for (int i = 0; i < 2 * by->channels; ++i) numbers[i] = args.number(kFirstMean + i);
  for (int i = 0; i < Normalization::kEntries; ++i) {
    by->mean[i] = static_cast<float>(numbers[i % by->channels]);
    by->inverse_deviation[i] = static_cast<float>(numbers[by->channels + i % by->channels]);
  }
  return Status::success();
}

template <typename Pixel>
void run_gather(const Arguments& args, double scale, const Normalization& by, const double* numbers) {
  const Pixel* source = args.data<Pixel>(1);
  const std::int32_t* indices = args.data<std::int32_t>(2);
  const std::int64_t count = args.integer(0), image_size = args.integer(1);
  if (is_double(args)) {
    reference::gather_images(args.data<double>(0), source, indices, count, image_size, scale, by.channels,
                             numbers);
  } else {
    ops::gather_images(args.data<float>(0), source, indices, count, image_size, static_cast<float>(scale),
                       by);
  }
}

}  // namespace

// (out [count][imageSize], source uint8 or float32 [images][imageSize], indices int32 [count]; count,
// imageSize, channels, mean of each channel, inverse deviation of each channel): bytes are divided by 255
// first
Status gather_images(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t count = args.integer(0), image_size = args.integer(1);
  Normalization by;
  double numbers[2 * Normalization::kMaxChannels];
  RECEPTIVE_CHECK(read_normalization(args, 0, &by, numbers));
  const bool is_bytes = args.dtype(1) == Dtype::kUint8;
  const std::int64_t images = args.size(1) / image_size;
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), count * image_size));
  RECEPTIVE_CHECK(args.require(1, is_bytes ? Dtype::kUint8 : Dtype::kFloat32, images * image_size));
  RECEPTIVE_CHECK(args.require(2, Dtype::kInt32, count));
  RECEPTIVE_CHECK(require_range("index", "position", args.data<std::int32_t>(2), count, images));
  if (is_bytes) {
    run_gather<std::uint8_t>(args, 1.0 / 255, by, numbers);
  } else {
    run_gather<float>(args, 1.0, by, numbers);
  }
  return Status::success();
}

// (out [count][imageSize], indices int32 [count]; count, imageSize, channels, mean and inverse deviation of
// each channel, then of an open file: its descriptor, where images of bytes begin, how many there are, and
// its size and last write, in seconds and nanoseconds, when it was opened)
Status gather_file(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t count = args.integer(0), image_size = args.integer(1);
  Normalization by;
  double numbers[2 * Normalization::kMaxChannels];
  RECEPTIVE_CHECK(read_normalization(args, kFileNumbers, &by, numbers));
  const int own = kFirstMean + 2 * by.channels;
  RECEPTIVE_CHECK(args.require_sizes(own, 1, 0));
  const double offset = args.number(own + 1), images = args.number(own + 2);
  if (!(offset >= 0 && images >= 1 && images <= 0x1p31 && offset + images * args.number(1) <= 0x1p53))
    return Status::refuse("ERR_ARGUMENT", "images within a file", std::to_string(images) + " of them");
  const ops::FileStamp stamp = {args.integer(own + 3), args.integer(own + 4), args.integer(own + 5)};
  const ops::ImageFile file = {static_cast<int>(args.integer(own)), args.integer(own + 1), image_size, stamp};
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), count * image_size));
  RECEPTIVE_CHECK(args.require(1, Dtype::kInt32, count));
  const std::int32_t* indices = args.data<std::int32_t>(1);
  RECEPTIVE_CHECK(require_range("index", "position", indices, count, args.integer(own + 2)));
  const std::int64_t failed =
      is_double(args)
          ? reference::gather_file(args.data<double>(0), file, indices, count, by.channels, numbers)
          : ops::gather_file(args.data<float>(0), file, indices, count, by);
  if (failed >= 0)
    return Status::refuse("ERR_FILE", "to read every image of " + ops::path_of(file.descriptor),
                          "nothing, or the end of the file, for image " + std::to_string(indices[failed]));
  if (!ops::is_unchanged(file))
    return Status::refuse("ERR_FILE", ops::path_of(file.descriptor) + " as it was when it was opened",
                          "a file that was changed meanwhile");
  return Status::success();
}

// (out int32 [count], source int32, indices int32 [count]; count)
Status gather_labels(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 1, 1));
  const std::int64_t count = args.integer(0);
  RECEPTIVE_CHECK(args.require(0, Dtype::kInt32, count));
  RECEPTIVE_CHECK(args.require(1, Dtype::kInt32, args.size(1)));
  RECEPTIVE_CHECK(args.require(2, Dtype::kInt32, count));
  const std::int32_t* indices = args.data<std::int32_t>(2);
  RECEPTIVE_CHECK(require_range("index", "position", indices, count, args.size(1)));
  for (std::int64_t i = 0; i < count; ++i)
    args.data<std::int32_t>(0)[i] = args.data<std::int32_t>(1)[indices[i]];
  return Status::success();
}

}  // namespace receptive::plan
