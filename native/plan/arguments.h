// SPDX-License-Identifier: Apache-2.0
// One instruction with its handles resolved, and the checks that keep a wrong one from touching memory it
// should not. What a user can get wrong is refused in TypeScript with better words; what fails here is a
// mistake of the library.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/status.h"
#include "runtime/tensor_table.h"

namespace receptive::plan {

class Arguments {
 public:
  static constexpr int kMaxBuffers = 12;

  Arguments(const Buffer* buffers, int buffer_count, const double* params, int param_count)
      : buffers_(buffers), params_(params), buffer_count_(buffer_count), param_count_(param_count) {}

  // Buffer i; a buffer without data where the instruction names none (handle -1) or too few.
  const Buffer& buffer(int i) const { return i < buffer_count_ ? buffers_[i] : kNone; }
  bool has(int i) const { return buffer(i).data != nullptr; }
  template <typename T>
  T* data(int i) const {
    return buffer(i).as<T>();
  }
  Dtype dtype(int i) const { return buffer(i).dtype; }
  std::int64_t size(int i) const { return buffer(i).size; }

  // Parameter i; 0 beyond the end, which every check below refuses where 0 makes no sense.
  double number(int i) const { return i < param_count_ ? params_[i] : 0.0; }
  std::int64_t integer(int i) const { return static_cast<std::int64_t>(number(i)); }
  int param_count() const { return param_count_; }

  // Success if buffer i is of this type and has exactly (or, for kAtLeast, no fewer than) this many elements.
  Status require(int i, Dtype dtype, std::int64_t size) const;
  // The same for an optional buffer.
  Status allow(int i, Dtype dtype, std::int64_t size) const {
    return has(i) ? require(i, dtype, size) : Status{};
  }
  // Success if parameters first..first+count-1 are whole numbers from `low` to 2^31.
  Status require_sizes(int first, int count, std::int64_t low) const;

 private:
  static const Buffer kNone;
  const Buffer* buffers_;
  const double* params_;
  int buffer_count_, param_count_;
};

// Returns from the calling function with the first check that fails.
#define RECEPTIVE_CHECK(check)                           \
  do {                                                   \
    ::receptive::Status receptive_status = (check);      \
    if (!receptive_status.ok()) return receptive_status; \
  } while (false)

// Success if every value is from 0 to limit - 1: "label 12 at row 3" is what it else received. Values come
// from the user's data, so this is a refusal the user will read.
Status require_range(const char* noun, const char* place, const std::int32_t* values, std::int64_t count,
                     std::int64_t limit);

// The floating type an instruction computes in: that of its first buffer.
inline bool is_double(const Arguments& args) { return args.dtype(0) == Dtype::kFloat64; }
inline Dtype float_dtype(const Arguments& args) {
  return is_double(args) ? Dtype::kFloat64 : Dtype::kFloat32;
}

}  // namespace receptive::plan
