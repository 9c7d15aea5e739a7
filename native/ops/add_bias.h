// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace receptive::ops {

// out[row][c] = in[row][c] + bias[c]; out may be in.
void add_bias(float* out, const float* in, const float* bias, std::int64_t rows, std::int64_t columns);

}  // namespace receptive::ops
