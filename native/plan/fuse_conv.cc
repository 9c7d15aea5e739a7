// SPDX-License-Identifier: Apache-2.0
// A convolution takes in what follows it: a ReLU, and the residual sum before one. Its epilogue computes
// max(0, (value + bias) + residual), which is what the instructions compute one after the other.
#include <utility>

#include "kernels/select.h"
#include "ops/conv2d_algorithm.h"
#include "plan/conv2d.h"
#include "plan/fuse.h"
#include "plan/parameters.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

// Whether the instruction behind the convolution at i is a ReLU of its result, at which nobody else looks.
bool is_followed_by_relu(const Program& program, int i) {
  if (i + 1 >= static_cast<int>(program.instructions.size())) return false;
  const Recorded& relu = program.instructions[static_cast<std::size_t>(i) + 1];
  const Operand y = operand_of(program.instructions[static_cast<std::size_t>(i)], 0);
  return is(relu, "relu_forward") && same(operand_of(relu, 1), y) && is_internal(program, y) &&
         uses(program, y) == 2;
}

// conv2d_forward y; relu_forward z <- y: the convolution writes z.
void take_in_relu(Program* program, int i) {
  Recorded& conv = program->instructions[static_cast<std::size_t>(i)];
  conv.operands[0] = operand_of(program->instructions[static_cast<std::size_t>(i) + 1], 0);
  set_param(&conv, kConvRelu, 1.0);
  remove_instruction(program, i + 1);
}

// Whether the convolution can add a residual to its result before anything else is done with that.
bool can_add(const Recorded& conv) {
  if (!is(conv, "conv2d_forward") || !has_geometry(conv)) return false;
  const auto param = [&](std::size_t i) { return i < conv.params.size() ? conv.params[i] : 0.0; };
  const double choice = param(kConvChoice);
  if (param(kConvRelu) != 0 || operand_of(conv, kConvResidual).kind != Operand::Kind::kNone ||
      !(choice >= 0 && choice < static_cast<double>(ops::Conv2dChoice::kCount)))
    return false;
  return ops::adds_residual(conv2d_geometry(conv), kernels(),
                            static_cast<ops::Conv2dChoice>(static_cast<int>(choice)));
}

// The convolution whose result is `y`, where only the addition at j looks at y and it can be computed there;
// or -1.
int sole_conv(const Program& program, const Operand& y, int j) {
  if (!is_internal(program, y) || uses(program, y) != 2) return -1;
  const int i = producer(program, y, j);
  if (i < 0) return -1;
  const Recorded& conv = program.instructions[static_cast<std::size_t>(i)];
  return can_add(conv) && may_move(program, conv, i, j) ? i : -1;
}

}  // namespace

int fuse_conv_relu(Program* program) {
  int fused = 0;
  for (int i = 0; i + 1 < static_cast<int>(program->instructions.size()); ++i) {
    if (!is(program->instructions[static_cast<std::size_t>(i)], "conv2d_forward") ||
        !is_followed_by_relu(*program, i))
      continue;
    take_in_relu(program, i);
    ++fused;
  }
  return fused;
}

// y <- conv; z <- y + other: the later of the two summands' convolutions adds the other one itself, at the
// place of the addition. A sum does not depend on the order of its two terms.
void fuse_conv_add(Program* program, Fusions* fusions) {
  int &plain = (*fusions)["conv2d + add"], &with_relu = (*fusions)["conv2d + add + relu"];
  for (int j = 0; j < static_cast<int>(program->instructions.size()); ++j) {
    const Recorded add = program->instructions[static_cast<std::size_t>(j)];
    if (!is(add, "add")) continue;
    const Operand sum = operand_of(add, 0), a = operand_of(add, 1), b = operand_of(add, 2);
    if (same(sum, a) || same(sum, b) || same(a, b)) continue;
    const int of_a = sole_conv(*program, a, j), of_b = sole_conv(*program, b, j);
    if (of_a < 0 && of_b < 0) continue;
    const int i = of_a > of_b ? of_a : of_b;
    Recorded conv = program->instructions[static_cast<std::size_t>(i)];
    conv.operands[0] = sum;
    set_operand(&conv, kConvResidual, of_a > of_b ? b : a);
    program->instructions[static_cast<std::size_t>(j)] = std::move(conv);
    remove_instruction(program, i);
    --j;
    const bool relu = is_followed_by_relu(*program, j);
    if (relu) take_in_relu(program, j);
    ++(relu ? with_relu : plain);
  }
}

}  // namespace receptive::plan
