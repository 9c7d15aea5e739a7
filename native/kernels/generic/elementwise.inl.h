// SPDX-License-Identifier: Apache-2.0
// The loop of all elementwise kernels. Include after a vec.h.
#pragma once

namespace receptive {
namespace {

// out = body.apply(a, b) for every vector of a range, the last one partial. Body is a struct, not a lambda:
// lambdas would have to be inlined to carry this file's target.
template <typename Body>
inline void for_each_vector(float* out, const float* a, const float* b, std::int64_t count,
                            const Body& body) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(out + i, body.apply(load(a + i), load(b + i)));
  if (i < count) {
    const Mask lanes = first_lanes(static_cast<int>(count - i));
    store_partial(out + i, lanes, body.apply(load_partial(a + i, lanes), load_partial(b + i, lanes)));
  }
}

}  // namespace
}  // namespace receptive
