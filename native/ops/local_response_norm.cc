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
          1,
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

LocalResponse response_of(const ResponseImages& images, const LocalResponseNormOptions& options) {
  const double size = static_cast<double>(options.size);
  return {images.w * images.c,
          std::min(options.size / 2, images.w - 1),
          std::min((options.size - 1) / 2, images.w - 1),
          images.c,
          static_cast<float>(options.alpha / (size * size)),
          static_cast<float>(options.beta),
          static_cast<float>(options.k)};
}

// body(offset of an image, first row, end, scratch) in parallel, for bands of at least so many rows
template <typename Body>
void for_bands(const ResponseImages& images, const LocalResponse& response, const ResponseRows& rows,
               std::int64_t least, const Body& body) {
  const std::int64_t band = std::max(least, kElementwiseGrain / 4 / response.channels);
  const std::int64_t bands = (rows.height + band - 1) / band;
  const std::int64_t scratch = kernels().local_response_norm->map_scratch(response, rows);
  parallel_for(images.n * bands, [&](std::int64_t task) {
    const std::int64_t first = task % bands * band;
    body(task / bands * rows.height * response.channels, first, std::min(rows.height, first + band),
         workspace<float>(Slot::kTaskPanel, scratch));
  });
}

ResponseRows rows_of(const ResponseImages& images, const LocalResponseNormOptions& options) {
  return {images.h, std::min(options.size / 2, images.h - 1), std::min((options.size - 1) / 2, images.h - 1)};
}

}  // namespace

void map_response_norm_forward(float* y, const float* x, const ResponseImages& images,
                               const LocalResponseNormOptions& options) {
  const LocalResponse response = response_of(images, options);
  const ResponseRows rows = rows_of(images, options);
  for_bands(images, response, rows, 1,
            [&](std::int64_t at, std::int64_t first, std::int64_t end, float* scratch) {
              kernels().local_response_norm->map_forward(y + at, x + at, scratch, response, rows, first, end);
            });
}

void map_response_norm_backward(float* dx, const float* dy, const float* x, const ResponseImages& images,
                                const LocalResponseNormOptions& options) {
  const LocalResponse response = response_of(images, options);
  const ResponseRows rows = rows_of(images, options);
  // Terms of the rows around a band are computed twice: a quarter more at most.
  const std::int64_t least = 4 * (rows.above + rows.below) + 1;
  for_bands(images, response, rows, least,
            [&](std::int64_t at, std::int64_t first, std::int64_t end, float* scratch) {
              kernels().local_response_norm->map_backward(dx + at, dy + at, x + at, scratch, response, rows,
                                                          first, end);
            });
}

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
