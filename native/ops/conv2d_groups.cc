// SPDX-License-Identifier: Apache-2.0
// Convolutions in groups of many channels: one problem a group, over pixels that lie as far apart as the
// whole image has them. Nothing is copied; the weights of a group are contiguous.
#include "ops/conv2d_algorithm.h"

namespace receptive::ops {
namespace {

// The problem of any one group.
Conv2dGeometry geometry_of_group(const Conv2dGeometry& g) {
  Conv2dGeometry group = g;
  group.groups = 1;
  group.in_c = g.group_in();
  group.out_c = g.group_out();
  group.in_step = g.in_pixel();
  group.out_step = g.out_pixel();
  return group;
}

}  // namespace

void conv2d_forward_groups(float* y, const float* x, const float* weight, const float* bias, bool relu,
                           const Conv2dGeometry& g) {
  const Conv2dGeometry group = geometry_of_group(g);
  for (std::int64_t i = 0; i < g.groups; ++i) {
    conv2d_forward_direct(y + i * group.out_c, x + i * group.in_c, weight + i * group.weight_size(),
                          bias == nullptr ? nullptr : bias + i * group.out_c, nullptr, relu, group);
  }
}

void conv2d_grad_input_groups(float* dx, const float* dy, const float* weight, const Conv2dGeometry& g) {
  const Conv2dGeometry group = geometry_of_group(g);
  for (std::int64_t i = 0; i < g.groups; ++i) {
    conv2d_grad_input_direct(dx + i * group.in_c, dy + i * group.out_c, weight + i * group.weight_size(),
                             group);
  }
}

void conv2d_grad_weight_groups(float* dweight, const float* dy, const float* x, const Conv2dGeometry& g) {
  const Conv2dGeometry group = geometry_of_group(g);
  for (std::int64_t i = 0; i < g.groups; ++i) {
    conv2d_grad_weight_direct(dweight + i * group.weight_size(), dy + i * group.out_c, x + i * group.in_c,
                              group);
  }
}

}  // namespace receptive::ops
