// SPDX-License-Identifier: Apache-2.0
#include "plan/algorithms.h"

#include <utility>

#include "plan/conv2d.h"
#include "plan/execute.h"
#include "plan/rewrite.h"

namespace receptive::plan {
bool is_double(const Program& program, const Recorded& instruction) {
  for (const Operand& operand : instruction.operands) {
    if (operand.kind == Operand::Kind::kBuffer)
      return program.buffers[static_cast<std::size_t>(operand.index)].dtype == Dtype::kFloat64;
  }
  return false;
}

namespace {

// Empty for an instruction that is no convolution, or one that will be refused when it runs.
std::string describe(const Program& program, const Recorded& instruction) {
  const char* name = opcode_name(instruction.opcode);
  const Arguments args(nullptr, 0, instruction.params.data(), static_cast<int>(instruction.params.size()));
  const char* algorithm = conv2d_algorithm(name, args);
  if (*algorithm == '\0') return "";
  const Conv2dGeometry g = conv2d_geometry(instruction);
  const std::string groups = g.groups == 1 ? "" : " in " + std::to_string(g.groups) + " groups";
  const std::string dilation =
      g.is_dilated() ? ", dilation " + std::to_string(g.dilation_h) + "x" + std::to_string(g.dilation_w) : "";
  return std::string(name) + " " + std::to_string(g.in_c) + " → " + std::to_string(g.out_c) + groups +
         " at " + std::to_string(g.in_h) + "x" + std::to_string(g.in_w) + dilation + ": " +
         (is_double(program, instruction) ? "float64" : algorithm);
}

}  // namespace

std::vector<std::string> convolution_algorithms(const Program& program) {
  std::vector<std::string> lines;
  for (const Recorded& instruction : program.instructions) {
    std::string line = describe(program, instruction);
    if (!line.empty()) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace receptive::plan
