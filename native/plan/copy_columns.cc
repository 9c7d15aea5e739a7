// SPDX-License-Identifier: Apache-2.0
// The instruction under concatenation and padding of channels, and the one that counts.
#include "ops/copy_columns.h"

#include "plan/opcodes.h"

namespace receptive::plan {

// (to [rows][toColumns], from [rows][fromColumns], any one dtype; rows, columns, toColumns, first column in
// to, fromColumns, first column in from): the other columns of `to` stay as they are.
Status copy_columns(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 3, 1));
  RECEPTIVE_CHECK(args.require_sizes(3, 1, 0));
  RECEPTIVE_CHECK(args.require_sizes(4, 1, 1));
  RECEPTIVE_CHECK(args.require_sizes(5, 1, 0));
  const std::int64_t rows = args.integer(0), columns = args.integer(1);
  const std::int64_t to_columns = args.integer(2), to_first = args.integer(3);
  const std::int64_t from_columns = args.integer(4), from_first = args.integer(5);
  RECEPTIVE_CHECK(args.require(0, args.dtype(0), rows * to_columns));
  RECEPTIVE_CHECK(args.require(1, args.dtype(0), rows * from_columns));
  if (to_first + columns > to_columns || from_first + columns > from_columns) {
    return Status::refuse("ERR_SHAPE", "columns inside both matrices",
                          std::to_string(columns) + " from column " + std::to_string(from_first) +
                              " to column " + std::to_string(to_first));
  }
  const std::int64_t width = static_cast<std::int64_t>(dtype_bytes(args.dtype(0)));
  ops::copy_columns(args.data<char>(0) + to_first * width, to_columns * width,
                    args.data<char>(1) + from_first * width, from_columns * width, rows, columns * width);
  return Status::success();
}

// (counter int32 [1]): one more
Status increment(const Arguments& args) {
  RECEPTIVE_CHECK(args.require(0, Dtype::kInt32, 1));
  // By way of unsigned numbers: a counter at its end begins anew instead of being undefined
  *args.data<std::uint32_t>(0) += 1;
  return Status::success();
}

}  // namespace receptive::plan
