// SPDX-License-Identifier: Apache-2.0
#include "ops/local_response_norm.h"

#include <algorithm>

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "runtime/parallel_for.h"
#include "runtime/workspace.h"

namespace receptive::ops {
namespace {

// A window that reaches beyond the channels sums no more than those.
LocalResponse response_of(std::int64_t channels, const LocalResponseNormOptions& options) {
  return {channels,
          std::min(options.size / 2, channels - 1),
          std::min((options.size - 1) / 2, channels - 1),
          static_cast<float>(options.alpha / static_cast<double>(options.size)),
          static_cast<float>(options.beta),
          static_cast<float>(options.k)};
}

// body(first element, rows, scratch) in parallel; an element costs about four times what a plain elementwise
// function does.
template <typename Body>
void for_rows(std::int64_t rows, const LocalResponse& response, const Body& body) {
  const std::int64_t grain = std::max<std::int64_t>(1, kElementwiseGrain / 4 / response.channels);
  const std::int64_t scratch = kernels().local_response_norm->scratch(response);
  parallel_ranges(rows, grain, [&](std::int64_t begin, std::int64_t end) {
    body(begin * response.channels, end - begin, workspace<float>(Slot::kTaskPanel, scratch));
  });
}

}  // namespace

void local_response_norm_forward(float* y, const float* x, std::int64_t rows, std::int64_t channels,
                                 const LocalResponseNormOptions& options) {
  const LocalResponse response = response_of(channels, options);
  for_rows(rows, response, [&](std::int64_t at, std::int64_t count, float* scratch) {
    kernels().local_response_norm->forward(y + at, x + at, scratch, response, count);
  });
}

void local_response_norm_backward(float* dx, const float* dy, const float* x, std::int64_t rows,
                                  std::int64_t channels, const LocalResponseNormOptions& options) {
  const LocalResponse response = response_of(channels, options);
  for_rows(rows, response, [&](std::int64_t at, std::int64_t count, float* scratch) {
    kernels().local_response_norm->backward(dx + at, dy + at, x + at, scratch, response, count);
  });
}

}  // namespace receptive::ops
