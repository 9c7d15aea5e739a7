// SPDX-License-Identifier: Apache-2.0
// Weights that no step changes are packed or transformed for their convolutions once.
#include <utility>

#include "ops/conv2d_algorithm.h"
#include "plan/algorithms.h"
#include "plan/conv2d.h"
#include "plan/fold.h"
#include "plan/parameters.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

// Floats. F(4x4) of 512 to 512 channels, 36 MiB, is left out: large batches alone take that way, and make
// these weights in a few hundredths of the time of their products.
constexpr std::int64_t kMaxFloats = 6 << 20;

bool is_constant(const Program& program, const Operand& operand) {
  if (operand.kind == Operand::Kind::kNone) return false;
  const int end = static_cast<int>(program.instructions.size());
  const int writer = producer(program, operand, end);
  return operand.kind == Operand::Kind::kTensor ? writer < 0 : writer >= 0 && writer < program.once;
}

// Floats that the prepared weight of an instruction takes; 0 where there is nothing to prepare.
std::int64_t size_for(const Program& program, int index) {
  const Recorded& conv = program.instructions[static_cast<std::size_t>(index)];
  if (!is(conv, "conv2d_forward") || varies(program, index) || !has_geometry(conv)) return 0;
  const Operand y = operand_of(conv, 0);
  if (y.kind != Operand::Kind::kBuffer ||
      program.buffers[static_cast<std::size_t>(y.index)].dtype != Dtype::kFloat32 ||
      !is_constant(program, operand_of(conv, 2)))
    return 0;
  const Arguments args(nullptr, 0, conv.params.data(), static_cast<int>(conv.params.size()));
  Conv2dGeometry g;
  ops::Conv2dChoice choice;
  if (!read_convolution(args, &g, &choice).ok() || args.number(kConvInterleaved) != 0) return 0;
  const std::int64_t size = ops::prepared_weight_size(g, choice);
  return size <= kMaxFloats ? size : 0;
}

}  // namespace

int prepare_weights(Program* program) {
  int prepared = 0;
  for (int i = program->once; i < static_cast<int>(program->instructions.size()); ++i) {
    const std::int64_t size = size_for(*program, i);
    if (size == 0) continue;
    Recorded& conv = program->instructions[static_cast<std::size_t>(i)];
    Recorded prepare;
    prepare.opcode = opcode_named("prepare_conv2d_weight");
    prepare.origin = conv.origin;
    prepare.params = conv.params;
    const Operand room = add_buffer(program, size, Dtype::kFloat32);
    prepare.operands = {room, operand_of(conv, 2)};
    set_operand(&conv, kConvPrepared, room);
    insert_instruction(program, program->once, std::move(prepare));
    program->once += 1;
    ++i;  // the convolution has moved on by one
    ++prepared;
  }
  return prepared;
}

}  // namespace receptive::plan
