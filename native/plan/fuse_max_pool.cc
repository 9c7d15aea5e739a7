// SPDX-License-Identifier: Apache-2.0
// Max pooling behind a convolution that works on interleaved images becomes part of it.
#include <utility>

#include "plan/conv2d.h"
#include "plan/execute.h"
#include "plan/fuse.h"
#include "plan/layout.h"
#include "plan/parameters.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

// Separate windows of at most 256 elements, all inside the convolution's result.
bool is_tiled(const Recorded& pool, const Conv2dGeometry& g) {
  if (pool.params.size() < kPoolParams) return false;
  const double* p = pool.params.data();
  const double out_h = p[kPoolOutParam], out_w = p[kPoolOutParam + 1];
  const double *window = p + kPoolWindowParam, *stride = window + 2, *pad = window + 4;
  const auto fits = [](double in, double out, double size, double step) {
    return size >= 1 && step >= size && out >= 1 && (out - 1) * step + size <= in && out * step + size > in;
  };
  return pad[0] == 0 && pad[1] == 0 && window[0] * window[1] <= 256 &&
         fits(static_cast<double>(g.out_h), out_h, window[0], stride[0]) &&
         fits(static_cast<double>(g.out_w), out_w, window[1], stride[1]);
}

}  // namespace

// conv2d_forward y; max_pool2d_forward z <- y: where nobody else looks at y.
int fuse_conv_max_pool(Program* program) {
  int fused = 0;
  for (int i = 0; i + 1 < static_cast<int>(program->instructions.size()); ++i) {
    const Recorded& conv = program->instructions[static_cast<std::size_t>(i)];
    const Recorded& pool = program->instructions[static_cast<std::size_t>(i) + 1];
    if (!is(conv, "conv2d_forward") || !is(pool, "max_pool2d_forward")) continue;
    if (!is_interleaved_convolution(*program, conv)) continue;
    const Operand y = operand_of(conv, 0);
    if (operand_of(pool, 0).kind != Operand::Kind::kBuffer) continue;
    if (!same(operand_of(pool, 2), y) || !is_internal(*program, y) || uses(*program, y) != 2) continue;
    if (!is_tiled(pool, conv2d_geometry(conv))) continue;
    Recorded both = conv;
    both.opcode = opcode_named("conv2d_max_pool2d");
    both.operands = {operand_of(pool, 0), operand_of(pool, 1), Operand{},
                     operand_of(conv, 1), operand_of(conv, 2), operand_of(conv, 3)};
    const Operand winners = both.operands[1];
    if (is_internal(*program, winners) && uses(*program, winners) == 1) both.operands[1] = Operand{};
    for (int p = 0; p < 4; ++p)
      set_param(&both, kConvPool + static_cast<std::size_t>(p),
                pool.params[kPoolWindowParam + static_cast<std::size_t>(p)]);
    program->instructions[static_cast<std::size_t>(i)] = std::move(both);
    remove_instruction(program, i + 1);
    ++fused;
  }
  return fused;
}

}  // namespace receptive::plan
