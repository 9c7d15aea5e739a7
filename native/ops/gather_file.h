// SPDX-License-Identifier: Apache-2.0
// A batch from a data set that stays on disk: images read by index from an open file, and normalised.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/gather_kernels.h"

namespace receptive::ops {

// A file's size and when it was written last, in seconds and nanoseconds.
struct FileStamp {
  std::int64_t size, seconds, nanoseconds;
};

// Images of image_size bytes each, one after another from `offset` on, in the file of this descriptor, and
// what the file was when it was opened.
struct ImageFile {
  int descriptor;
  std::int64_t offset, image_size;
  FileStamp stamp;
};

// out [count][image_size] = (byte / 255 - mean) * inverse deviation. Returns the first position whose image
// could not be read whole, or -1.
std::int64_t gather_file(float* out, const ImageFile& file, const std::int32_t* indices, std::int64_t count,
                         const Normalization& by);

// One image; false where it could not be read whole.
bool read_image(std::uint8_t* out, const ImageFile& file, std::int64_t index);

// False where the file has another size than when it was opened, or was written since. Asked behind the
// reads, it covers them; it costs 0.3 us.
bool is_unchanged(const ImageFile& file);

// The path of an open file where the system tells it, for errors.
std::string path_of(int descriptor);

}  // namespace receptive::ops
