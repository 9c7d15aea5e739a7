// SPDX-License-Identifier: Apache-2.0
#include "ops/transpose.h"

#include "ops/gemm_pack.h"
#include "runtime/parallel_for.h"

namespace receptive::ops {
namespace {

constexpr std::int64_t kTaskRows = 64;  // rows of the result that one task writes

}  // namespace

void transpose(float* out, const float* in, std::int64_t rows, std::int64_t columns) {
  parallel_ranges(columns, kTaskRows, [&](std::int64_t begin, std::int64_t end) {
    pack_panel(out + begin * rows, rows, in + begin, 1, columns, end - begin, static_cast<int>(rows));
  });
}

}  // namespace receptive::ops
