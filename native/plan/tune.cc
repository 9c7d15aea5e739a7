// SPDX-License-Identifier: Apache-2.0
#include "plan/tune.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "ops/conv2d_algorithm.h"
#include "plan/algorithms.h"
#include "plan/conv2d.h"
#include "plan/execute.h"
#include "plan/parameters.h"
#include "plan/rewrite.h"
#include "runtime/denormals.h"

namespace receptive::plan {
namespace {

// The first run brings scratch memory and warm caches; of the others the fastest counts: what disturbs a
// measurement only ever adds to it.
constexpr int kRuns = 4;

constexpr ops::Conv2dChoice kCandidates[] = {ops::Conv2dChoice::kDirect, ops::Conv2dChoice::kWinogradF2,
                                             ops::Conv2dChoice::kWinogradF4};

// Small numbers that are not zero, the same on every call.
std::vector<float> numbers(std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.01f * static_cast<float>(i % 97) - 0.47f;
  return values;
}

double seconds_of(int opcode, const std::vector<Buffer>& buffers, const std::vector<double>& params) {
  const Arguments args(buffers.data(), static_cast<int>(buffers.size()), params.data(),
                       static_cast<int>(params.size()));
  double least = std::numeric_limits<double>::infinity();
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    if (!call(opcode, args).ok()) return std::numeric_limits<double>::infinity();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (run > 0) least = std::min(least, took.count());
  }
  return least;
}

// The operands of plan/conv2d.cc.
std::vector<std::int64_t> operand_sizes(const Recorded& conv, const Conv2dGeometry& g) {
  if (is(conv, "conv2d_forward")) return {g.output_size(), g.input_size(), g.weight_size(), g.out_c};
  if (is(conv, "conv2d_grad_input")) return {g.input_size(), g.output_size(), g.weight_size()};
  return {g.weight_size(), g.out_c, g.output_size(), g.input_size()};
}

ops::Conv2dChoice fastest(const Recorded& conv, const Conv2dGeometry& g) {
  std::vector<std::vector<float>> memory;
  std::vector<Buffer> buffers;
  for (const std::int64_t size : operand_sizes(conv, g)) {
    memory.push_back(numbers(size));
    const bool is_there = operand_of(conv, buffers.size()).kind != Operand::Kind::kNone;
    buffers.push_back(is_there ? Buffer{memory.back().data(), size, Dtype::kFloat32} : Buffer{});
  }
  std::vector<double> params = conv.params;
  ops::Conv2dChoice best = ops::Conv2dChoice::kAuto;
  double least = std::numeric_limits<double>::infinity();
  for (const ops::Conv2dChoice candidate : kCandidates) {
    if (!ops::can_choose(candidate, g)) continue;
    params[kConvChoice] = static_cast<double>(candidate);
    const double seconds = seconds_of(conv.opcode, buffers, params);
    if (seconds < least) best = candidate;
    least = std::min(least, seconds);
  }
  return best;
}

// Whether the cost model decides between direct and Winograd: not for few channels, which have ways of their
// own.
bool is_open(const Recorded& conv, const Program& program, Conv2dGeometry* g) {
  const bool is_pass =
      is(conv, "conv2d_forward") || is(conv, "conv2d_grad_input") || is(conv, "conv2d_grad_weight");
  if (!is_pass || is_double(program, conv)) return false;
  const Arguments args(nullptr, 0, conv.params.data(), static_cast<int>(conv.params.size()));
  ops::Conv2dChoice choice;
  constexpr std::int64_t kFewChannels = 16;
  return read_convolution(args, g, &choice).ok() && choice == ops::Conv2dChoice::kAuto &&
         ops::can_choose(ops::Conv2dChoice::kWinograd, *g) && std::min(g->in_c, g->out_c) >= kFewChannels;
}

}  // namespace

int measure_algorithms(Program* program) {
  const FlushDenormals flush;
  int decided = 0;
  std::map<std::pair<int, std::vector<double>>, ops::Conv2dChoice> known;
  for (Recorded& conv : program->instructions) {
    Conv2dGeometry g;
    if (!is_open(conv, *program, &g)) continue;
    const auto key = std::make_pair(conv.opcode, conv.params);
    auto found = known.find(key);
    if (found == known.end()) found = known.emplace(key, fastest(conv, g)).first;
    set_param(&conv, kConvChoice, static_cast<double>(found->second));
    ++decided;
  }
  return decided;
}

}  // namespace receptive::plan
