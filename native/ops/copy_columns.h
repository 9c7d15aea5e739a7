// SPDX-License-Identifier: Apache-2.0
// Copies a block of columns from one matrix into another: channels of images, for concatenation and padding.
#pragma once

#include <cstdint>

namespace receptive::ops {

// Rows of `bytes` each, `to_stride` and `from_stride` bytes apart.
void copy_columns(void* to, std::int64_t to_stride, const void* from, std::int64_t from_stride,
                  std::int64_t rows, std::int64_t bytes);

}  // namespace receptive::ops
