// SPDX-License-Identifier: Apache-2.0
// Instructions of matrix products and linear layers.
#include "ops/gemm.h"

#include "plan/opcodes.h"
#include "reference/gemm.h"

namespace receptive::plan {
namespace {

// A dense matrix in memory: rows x columns, or its transpose.
struct Matrix {
  int operand;
  std::int64_t row_stride, column_stride;
};

Matrix dense(int operand, std::int64_t columns) { return {operand, columns, 1}; }
Matrix transposed(int operand, std::int64_t columns) { return {operand, 1, columns}; }

// operand 0 [m][n] = a · b + bias
Status multiply_matrices(const Arguments& args, const Matrix& a, const Matrix& b, std::int64_t m,
                         std::int64_t n, std::int64_t k, int bias) {
  const Dtype dtype = float_dtype(args);
  RECEPTIVE_CHECK(args.require(0, dtype, m * n));
  RECEPTIVE_CHECK(args.require(a.operand, dtype, m * k));
  RECEPTIVE_CHECK(args.require(b.operand, dtype, k * n));
  RECEPTIVE_CHECK(args.allow(bias, dtype, n));
  if (is_double(args)) {
    reference::gemm(args.data<double>(0), {args.data<double>(a.operand), a.row_stride, a.column_stride},
                    {args.data<double>(b.operand), b.row_stride, b.column_stride}, m, n, k,
                    args.data<double>(bias));
  } else {
    ops::gemm(args.data<float>(0), {args.data<float>(a.operand), a.row_stride, a.column_stride},
              {args.data<float>(b.operand), b.row_stride, b.column_stride}, m, n, k,
              {args.data<float>(bias), false});
  }
  return Status::success();
}

constexpr int kNoBias = Arguments::kMaxBuffers;

}  // namespace

// (c, a, b; m, n, k, a is transposed, b is transposed)
Status matmul(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 3, 1));
  const std::int64_t m = args.integer(0), n = args.integer(1), k = args.integer(2);
  return multiply_matrices(args, args.number(3) != 0 ? transposed(1, m) : dense(1, k),
                           args.number(4) != 0 ? transposed(2, k) : dense(2, n), m, n, k, kNoBias);
}

// Linear layers: x [rows][in], weight [out][in], y [rows][out]. Parameters: rows, in, out.

// (y, x, weight, bias?)
Status linear_forward(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 3, 1));
  const std::int64_t rows = args.integer(0), in = args.integer(1), out = args.integer(2);
  return multiply_matrices(args, dense(1, in), transposed(2, in), rows, out, in, 3);
}

// (dx, dy, weight)
Status linear_grad_input(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 3, 1));
  const std::int64_t rows = args.integer(0), in = args.integer(1), out = args.integer(2);
  return multiply_matrices(args, dense(1, out), dense(2, in), rows, in, out, kNoBias);
}

// (dweight, dy, x)
Status linear_grad_weight(const Arguments& args) {
  RECEPTIVE_CHECK(args.require_sizes(0, 3, 1));
  const std::int64_t rows = args.integer(0), in = args.integer(1), out = args.integer(2);
  return multiply_matrices(args, transposed(1, out), dense(2, in), out, in, rows, kNoBias);
}

}  // namespace receptive::plan
