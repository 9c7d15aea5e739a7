// SPDX-License-Identifier: Apache-2.0
// Transposes a dense matrix.
#pragma once

#include <cstdint>

namespace receptive::ops {

// out [columns][rows] = in [rows][columns]; they may not overlap.
void transpose(float* out, const float* in, std::int64_t rows, std::int64_t columns);

}  // namespace receptive::ops
