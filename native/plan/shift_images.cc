// SPDX-License-Identifier: Apache-2.0
// Shifted and mirrored images.
#include "ops/shift_images.h"

#include "plan/opcodes.h"
#include "reference/shift_images.h"

namespace receptive::plan {

// (y, x; count, height, width, channels, mirrored, down, right)
Status shift_images(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 4, 1));
  const double size = args.number(0) * args.number(1) * args.number(2) * args.number(3);
  if (size > 0x1p53)
    return Status::refuse("ERR_SHAPE", "images that can be addressed", "more than 2^53 elements");
  for (int axis = 0; axis < 2; ++axis) {
    const double shift = args.number(5 + axis);
    if (!(shift > -args.number(1 + axis) && shift < args.number(1 + axis)))
      return Status::refuse("ERR_ARGUMENT", "shifts of less than a side", std::to_string(shift));
  }
  const ops::ShiftedImages images = {args.integer(0), args.integer(1), args.integer(2),    args.integer(3),
                                     args.integer(5), args.integer(6), args.number(4) != 0};
  for (int i = 0; i < 2; ++i)
    RECEPTIVE_CHECK(args.require(i, float_dtype(args), images.count * images.height * images.row()));
  if (is_double(args)) {
    reference::shift_images(args.data<double>(0), args.data<double>(1), images);
  } else {
    ops::shift_images(args.data<float>(0), args.data<float>(1), images);
  }
  return Status::success();
}

}  // namespace receptive::plan
