// SPDX-License-Identifier: Apache-2.0
// Greedy: at the instruction where most bytes are alive, among the buffers that only wait there, the one
// that frees most bytes for the time it costs.
#include "plan/recompute.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "plan/execute.h"
#include "plan/liveness.h"
#include "plan/parameters.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

// Multiply-adds of a convolution in the time that a byte takes through memory, by order of magnitude.
constexpr double kMultiplyAddsPerByte = 8;

// A buffer that waits from one use to the next: `maker` wrote it, `next` needs it again.
struct Candidate {
  int buffer, maker, next;
  double score;
};

double cost(const Program& program, const Recorded& instruction) {
  double bytes = 0;
  for (const Operand& operand : instruction.operands) {
    if (operand.kind == Operand::Kind::kBuffer)
      bytes += static_cast<double>(program.buffers[static_cast<std::size_t>(operand.index)].bytes());
  }
  double p[9] = {};  // what an instruction leaves out is refused when it runs
  std::copy_n(instruction.params.begin(), std::min<std::size_t>(instruction.params.size(), 9), p);
  double products = 0;  // the geometries of plan/conv2d.cc and plan/gemm.cc
  if (is(instruction, "conv2d_forward") || is(instruction, "conv2d_max_pool2d")) {
    products = p[0] * p[3] * p[4] * p[5] * p[6] * p[7] * p[8];
    if (instruction.params.size() > kConvGroups) products /= std::max(1.0, instruction.params[kConvGroups]);
  }
  if (is(instruction, "linear_forward") || is(instruction, "matmul")) products = p[0] * p[1] * p[2];
  return bytes + products / kMultiplyAddsPerByte;
}

// Running statistics have moved already when a batch is normalised again.
bool is_running_statistic(const Recorded& instruction, std::size_t operand) {
  return is(instruction, "batch_norm_forward") && (operand == 3 || operand == 4);
}

// Whether the instruction can run again right before `next` with the same result.
bool is_repeatable(const Program& program, int maker, int next) {
  const Recorded& instruction = program.instructions[static_cast<std::size_t>(maker)];
  const OpcodeTraits& traits = opcode_traits(instruction.opcode);
  if (!traits.pure || maker < program.once) return false;
  for (std::size_t o = 0; o < instruction.operands.size(); ++o) {
    const Operand& operand = instruction.operands[o];
    if (operand.kind == Operand::Kind::kNone || is_running_statistic(instruction, o)) continue;
    if (traits.writes_operand(o) ? !is_internal(program, operand) : writes(instruction, operand))
      return false;
    if (traits.writes_operand(o)) continue;
    for (int i = maker + 1; i < next; ++i) {
      if (writes(program.instructions[static_cast<std::size_t>(i)], operand)) return false;
    }
  }
  return true;
}

// The buffers that are alive at `peak` without being used there, and can be made again.
std::vector<Candidate> candidates_at(const Program& program, int peak) {
  struct Uses {
    int makers = 0, maker = -1, before = -1, after = -1;
  };
  std::vector<Uses> uses(program.buffers.size());
  for (int i = 0; i < static_cast<int>(program.instructions.size()); ++i) {
    const Recorded& instruction = program.instructions[static_cast<std::size_t>(i)];
    for (const Operand& operand : instruction.operands) {
      if (!is_internal(program, operand)) continue;
      Uses& of = uses[static_cast<std::size_t>(operand.index)];
      if (writes(instruction, operand)) {
        of.makers += 1;
        of.maker = i;
      }
      if (i <= peak) of.before = i;
      if (i > peak && of.after < 0) of.after = i;
    }
  }
  std::vector<Candidate> found;
  for (std::size_t b = 0; b < uses.size(); ++b) {
    const Uses& of = uses[b];
    if (of.makers != 1 || of.before < 0 || of.before == peak || of.after < 0 || of.maker > peak) continue;
    if (!is_repeatable(program, of.maker, of.after)) continue;
    const double bytes = static_cast<double>(program.buffers[b].bytes());
    found.push_back({static_cast<int>(b), of.maker, of.after,
                     bytes / cost(program, program.instructions[static_cast<std::size_t>(of.maker)])});
  }
  return found;
}

// Repeats the maker right before `next`, into new buffers; from there on the new ones are read.
void repeat(Program* program, const Candidate& candidate) {
  Recorded again = program->instructions[static_cast<std::size_t>(candidate.maker)];
  const OpcodeTraits& traits = opcode_traits(again.opcode);
  int fresh = -1;
  for (std::size_t o = 0; o < again.operands.size(); ++o) {
    Operand& operand = again.operands[o];
    if (!traits.writes_operand(o) || operand.kind == Operand::Kind::kNone) continue;
    if (is_running_statistic(again, o)) {
      operand = {};
      continue;
    }
    const int copy = static_cast<int>(program->buffers.size());
    program->buffers.push_back(BufferSpec(program->buffers[static_cast<std::size_t>(operand.index)]));
    if (operand.index == candidate.buffer) fresh = copy;
    operand.index = copy;
  }
  for (std::size_t i = static_cast<std::size_t>(candidate.next); i < program->instructions.size(); ++i) {
    for (Operand& operand : program->instructions[i].operands) {
      if (operand.kind == Operand::Kind::kBuffer && operand.index == candidate.buffer) operand.index = fresh;
    }
  }
  insert_instruction(program, candidate.next, std::move(again));
  const std::vector<Varying> varying = program->varying;  // a drawn number must be drawn again
  for (const Varying& entry : varying) {
    if (entry.instruction == candidate.maker)
      program->varying.push_back({candidate.next, entry.param, entry.variable});
  }
}

std::int64_t most(const std::vector<std::int64_t>& live) {
  return *std::max_element(live.begin(), live.end());
}

// What a repetition must improve: the bytes at the highest place, and at how many instructions that many are
// alive.
std::pair<std::int64_t, std::int64_t> height(const Program& program) {
  const std::vector<std::int64_t> live = live_bytes(program, Liveness(program));
  const std::int64_t top = most(live);
  return {top, std::count(live.begin(), live.end(), top)};
}

// The program with the best repetition, if one helps.
std::optional<Program> improved(const Program& program) {
  const std::vector<std::int64_t> live = live_bytes(program, Liveness(program));
  const int peak = static_cast<int>(std::max_element(live.begin(), live.end()) - live.begin());
  std::vector<Candidate> candidates = candidates_at(program, peak);
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  const auto before = height(program);
  for (const Candidate& candidate : candidates) {
    Program changed = program;
    repeat(&changed, candidate);
    if (height(changed) < before) return changed;
  }
  return std::nullopt;
}

}  // namespace

Recomputation recompute_to_fit(Program* program, MemoryPlan* memory, std::int64_t budget) {
  Recomputation result;
  result.smallest_bytes = memory->arena_bytes;
  const std::size_t natural = program->instructions.size();
  Program current = *program;
  MemoryPlan plan = *memory;
  while (plan.arena_bytes > budget) {
    std::optional<Program> next = improved(current);
    if (!next) return result;
    current = std::move(*next);
    plan = plan_memory(current);
    result.smallest_bytes = std::min(result.smallest_bytes, plan.arena_bytes);
  }
  result.fits = true;
  result.instructions = static_cast<int>(current.instructions.size() - natural);
  *program = std::move(current);
  *memory = std::move(plan);
  return result;
}

}  // namespace receptive::plan
