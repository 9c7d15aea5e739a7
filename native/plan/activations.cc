// SPDX-License-Identifier: Apache-2.0
// Instructions of the activations in kernels/activation_kernels.h. Forward: (y, x; options). Backward: (dx,
// dy, what the list says is kept; options).
#include "reference/activations.h"

#include "kernels/select.h"
#include "ops/elementwise.h"
#include "plan/opcodes.h"

namespace receptive::plan {
namespace {

template <typename Float>
ActivationOptions<Float> options(const Arguments& args) {
  return {static_cast<Float>(args.number(0)), static_cast<Float>(args.number(1))};
}

// All `count` operands are of one type and size.
Status require_alike(const Arguments& args, int count) {
  for (int i = 0; i < count; ++i) RECEPTIVE_CHECK(args.require(i, float_dtype(args), args.size(0)));
  return Status::success();
}

template <typename Reference>
Status forward(const Arguments& args, const ActivationKernel& kernel) {
  RECEPTIVE_CHECK(require_alike(args, 2));
  if (is_double(args)) {
    reference::activation_forward<Reference>(args.data<double>(0), args.data<double>(1), args.size(0),
                                             options<double>(args));
  } else {
    ops::activation_forward(kernel, args.data<float>(0), args.data<float>(1), args.size(0),
                            options<float>(args));
  }
  return Status::success();
}

template <typename Reference>
Status backward(const Arguments& args, const ActivationKernel& kernel) {
  RECEPTIVE_CHECK(require_alike(args, 3));
  if (is_double(args)) {
    reference::activation_backward<Reference>(args.data<double>(0), args.data<double>(1),
                                              args.data<double>(2), args.size(0), options<double>(args));
  } else {
    ops::activation_backward(kernel, args.data<float>(0), args.data<float>(1), args.data<float>(2),
                             args.size(0), options<float>(args));
  }
  return Status::success();
}

}  // namespace

#define RECEPTIVE_INSTRUCTIONS(name, Body)                              \
  Status name##_forward(const Arguments& args) {                        \
    return forward<reference::Body>(args, kernels().activation->name);  \
  }                                                                     \
  Status name##_backward(const Arguments& args) {                       \
    return backward<reference::Body>(args, kernels().activation->name); \
  }
RECEPTIVE_ACTIVATIONS(RECEPTIVE_INSTRUCTIONS)
#undef RECEPTIVE_INSTRUCTIONS

}  // namespace receptive::plan
