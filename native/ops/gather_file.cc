// SPDX-License-Identifier: Apache-2.0
// Read, not mapped: a file that is cut while it is mapped ends the process, one that is read gives an error.
#include "ops/gather_file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "runtime/workspace.h"

#if !defined(_WIN32)
#include <sys/stat.h>
#include <unistd.h>
#endif
#if defined(__APPLE__)
#include <fcntl.h>
#include <sys/param.h>
#endif

namespace receptive::ops {

bool read_image(std::uint8_t* out, const ImageFile& file, std::int64_t index) {
#if defined(_WIN32)
  static_cast<void>(out), static_cast<void>(file), static_cast<void>(index);
  return false;
#else
  std::int64_t done = 0;
  while (done < file.image_size) {
    const auto place = static_cast<off_t>(file.offset + index * file.image_size + done);
    const ssize_t got =
        pread(file.descriptor, out + done, static_cast<std::size_t>(file.image_size - done), place);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += got;
  }
  return true;
#endif
}

bool is_unchanged(const ImageFile& file) {
#if defined(_WIN32)
  static_cast<void>(file);
  return true;
#else
  struct stat now;
  if (fstat(file.descriptor, &now) != 0) return false;
#if defined(__APPLE__)
  const timespec& written = now.st_mtimespec;
#else
  const timespec& written = now.st_mtim;
#endif
  return now.st_size == file.stamp.size && written.tv_sec == file.stamp.seconds &&
         written.tv_nsec == file.stamp.nanoseconds;
#endif
}

std::string path_of(int descriptor) {
  const std::string unknown = "the open file " + std::to_string(descriptor);
#if defined(__linux__)
  char path[4096];
  const ssize_t length =
      readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), path, sizeof(path));
  return length <= 0 ? unknown : std::string(path, static_cast<std::size_t>(length));
#elif defined(__APPLE__)
  char path[MAXPATHLEN];
  return fcntl(descriptor, F_GETPATH, path) < 0 ? unknown : std::string(path);
#else
  return unknown;
#endif
}

std::int64_t gather_file(float* out, const ImageFile& file, const std::int32_t* indices, std::int64_t count,
                         const Normalization& by) {
  const auto kernel = kernels().gather->normalize_bytes;
  std::atomic<std::int64_t> failed{count};
  parallel_ranges(count, std::max<std::int64_t>(1, kElementwiseGrain / file.image_size),
                  [&](std::int64_t begin, std::int64_t end) {
                    auto* bytes = workspace<std::uint8_t>(Slot::kTaskPanel, file.image_size);
                    for (std::int64_t i = begin; i < end; ++i) {
                      if (read_image(bytes, file, indices[i])) {
                        kernel(out + i * file.image_size, bytes, file.image_size, 1.0f / 255, by);
                        continue;
                      }
                      std::int64_t first = failed.load();
                      while (i < first && !failed.compare_exchange_weak(first, i)) {
                      }
                    }
                  });
  return failed < count ? failed.load() : -1;
}

}  // namespace receptive::ops
