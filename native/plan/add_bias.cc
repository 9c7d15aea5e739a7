// SPDX-License-Identifier: Apache-2.0
#include "ops/add_bias.h"

#include "plan/opcodes.h"
#include "reference/elementwise.h"

namespace receptive::plan {

// (out [rows][columns], in [rows][columns], bias [columns]; rows, columns)
Status add_bias(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 2, 1));
  const std::int64_t rows = args.integer(0), columns = args.integer(1);
  for (const int matrix : {0, 1}) RECEPTIVE_CHECK(args.require(matrix, float_dtype(args), rows * columns));
  RECEPTIVE_CHECK(args.require(2, float_dtype(args), columns));
  if (is_double(args)) {
    reference::add_bias(args.data<double>(0), args.data<double>(1), args.data<double>(2), rows, columns);
  } else {
    ops::add_bias(args.data<float>(0), args.data<float>(1), args.data<float>(2), rows, columns);
  }
  return Status::success();
}

}  // namespace receptive::plan
