// SPDX-License-Identifier: Apache-2.0
#include "plan/arguments.h"

#include <cmath>

namespace receptive::plan {
namespace {

const char* name(Dtype dtype) {
  switch (dtype) {
    case Dtype::kFloat32:
      return "float32";
    case Dtype::kFloat64:
      return "float64";
    case Dtype::kInt32:
      return "int32";
    case Dtype::kUint8:
      return "uint8";
  }
  return "unknown";
}

}  // namespace

const Buffer Arguments::kNone{};

Status Arguments::require(int i, Dtype dtype, std::int64_t size) const {
  const Buffer& found = buffer(i);
  if (found.data != nullptr && found.dtype == dtype && found.size == size) return Status::success();
  std::string expected = "operand " + std::to_string(i) + " to be " + name(dtype) + " with " +
                         std::to_string(size) + " elements";
  if (found.data == nullptr) return Status::refuse("ERR_ARGUMENT", std::move(expected), "no operand");
  return Status::refuse(found.dtype == dtype ? "ERR_SHAPE" : "ERR_DTYPE", std::move(expected),
                        std::string(name(found.dtype)) + " with " + std::to_string(found.size) + " elements");
}

Status Arguments::require_sizes(int first, int count, std::int64_t low) const {
  constexpr double kLimit = 2147483648.0;
  for (int i = first; i < first + count; ++i) {
    const double value = number(i);
    // Also false for NaN
    if (!(value >= static_cast<double>(low) && value <= kLimit && value == std::floor(value))) {
      return Status::refuse(
          "ERR_ARGUMENT",
          "parameter " + std::to_string(i) + " to be a whole number from " + std::to_string(low),
          std::to_string(value));
    }
  }
  return Status::success();
}

Status require_range(const char* noun, const char* place, const std::int32_t* values, std::int64_t count,
                     std::int64_t limit) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (values[i] >= 0 && values[i] < limit) continue;
    const std::string plural = std::string(noun) == "index" ? "indices" : std::string(noun) + "s";
    return Status::refuse(
        "ERR_DATA", plural + " from 0 to " + std::to_string(limit - 1),
        std::string(noun) + " " + std::to_string(values[i]) + " at " + place + " " + std::to_string(i));
  }
  return Status::success();
}

}  // namespace receptive::plan
