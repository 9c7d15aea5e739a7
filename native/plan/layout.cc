// SPDX-License-Identifier: Apache-2.0
// One walk over the step. A convolution whose algorithm wants interleaved images reads and writes those; so
// does an elementwise instruction or a pooling that finds one among its inputs. Everything else reads NHWC.
// Conversions stand before the first instruction that needs the other layout. The kernels are those that
// eager execution runs, and so are the bits.
#include "plan/layout.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <utility>

#include "kernels/select.h"
#include "ops/conv2d_algorithm.h"
#include "ops/interleave.h"
#include "plan/conv2d.h"
#include "plan/execute.h"
#include "plan/parameters.h"
#include "plan/rewrite.h"

namespace receptive::plan {
namespace {

// Where the batch and the channels of a pooling stand: plan/pool2d.cc
constexpr int kPoolBatchParam = 0, kPoolChannelsParam = 3;

bool is_any(const Recorded& instruction, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (is(instruction, name)) return true;
  }
  return false;
}

bool is_elementwise(const Recorded& instruction) {
#define RECEPTIVE_NAMES(name, Body) #name "_forward", #name "_backward",
  return is_any(instruction, {RECEPTIVE_ACTIVATIONS(RECEPTIVE_NAMES)});
#undef RECEPTIVE_NAMES
}

bool is_pool(const Recorded& instruction) {
  return is_any(instruction, {"max_pool2d_forward", "max_pool2d_backward", "avg_pool2d_forward",
                              "avg_pool2d_backward", "lp_pool2d_forward", "lp_pool2d_backward"});
}

// The operands that are images: x or dx, and y or dy.
struct ConvImages {
  std::size_t input, output;
};

// conv2d_max_pool2d reads interleaved images and writes both layouts: NHWC, and interleaved.
constexpr ConvImages kPooledImages = {3, 2};
constexpr std::size_t kPooledY = 0;

// Whether eager execution computes it over interleaved images.
bool is_interleaved_conv(const Recorded& conv, Conv2dGeometry* g, ConvImages* at) {
  const bool pooled = is(conv, "conv2d_max_pool2d"), forward = pooled || is(conv, "conv2d_forward"),
             grad_input = is(conv, "conv2d_grad_input");
  if ((!forward && !grad_input && !is(conv, "conv2d_grad_weight")) || !has_geometry(conv)) return false;
  *g = conv2d_geometry(conv);
  if (g->batch == 0 || g->batch % kLanes != 0) return false;
  // A user's choice of another algorithm is kept.
  if (conv.params.size() > kConvChoice && conv.params[kConvChoice] != 0) return false;
  const Arguments args(nullptr, 0, conv.params.data(), static_cast<int>(conv.params.size()));
  const PoolWindow pool = pool_window(args);
  if (forward) {
    *at = pooled ? kPooledImages : ConvImages{1, 0};
    return ops::forward_algorithm(*g, kernels(), ops::Conv2dChoice::kAuto) ==
           ops::ForwardAlgorithm::kInterleaved;
  }
  if (grad_input) {
    *at = {0, 1};
    return ops::grad_input_algorithm(*g, kernels(), ops::Conv2dChoice::kAuto, pool) ==
           ops::GradInputAlgorithm::kInterleaved;
  }
  *at = {3, 2};
  return ops::grad_weight_algorithm(*g, kernels(), ops::Conv2dChoice::kAuto, pool) ==
         ops::GradWeightAlgorithm::kInterleaved;
}

class Walk {
 public:
  explicit Walk(Program* program) : program_(*program) {}

  int run() {
    int passes = 0;
    for (at_ = 0; at_ < static_cast<int>(program_.instructions.size()); ++at_) {
      if (is(here(), "deinterleave")) continue;  // of write()
      if (convolve()) {
        ++passes;
      } else if (!follow()) {
        for (std::size_t o = 0; o < here().operands.size(); ++o) read(o, false, {});
      }
    }
    drop_unread();
    return passes;
  }

 private:
  struct Images {
    std::int64_t batch, elements;
  };
  using Key = std::pair<int, int>;  // kind and index of an operand

  static Key key(const Operand& operand) { return {static_cast<int>(operand.kind), operand.index}; }
  Recorded& here() { return program_.instructions[static_cast<std::size_t>(at_)]; }
  bool is_output(std::size_t o) { return opcode_traits(here().opcode).writes_operand(o); }
  bool is_float(const Operand& operand) const {
    return operand.kind == Operand::Kind::kBuffer &&
           program_.buffers[static_cast<std::size_t>(operand.index)].dtype == Dtype::kFloat32;
  }

  int writers(const Operand& operand) const {
    int count = 0;
    for (const Recorded& instruction : program_.instructions) count += writes(instruction, operand) ? 1 : 0;
    return count;
  }

  // Only one instruction writes it, and nobody outside of the step reads it.
  bool may_be_interleaved(const Operand& operand) const {
    return is_internal(program_, operand) && writers(operand) == 1;
  }

  bool is_interleaved(const Operand& operand) const { return interleaved_.count(key(operand)) > 0; }

  void convert(int place, const char* name, const Operand& to, const Operand& from, const Images& images) {
    Recorded conversion;
    conversion.opcode = opcode_named(name);
    conversion.operands = {to, from};
    conversion.params = {static_cast<double>(images.batch), static_cast<double>(images.elements)};
    insert_instruction(&program_, place, std::move(conversion));
  }

  // Lets input o have the wanted layout, from a conversion before this instruction if need be.
  void read(std::size_t o, bool interleaved, const Images& images) {
    const Operand operand = here().operands[o];
    if (operand.kind == Operand::Kind::kNone || is_output(o) || is_interleaved(operand) == interleaved)
      return;
    const auto found = converted_.find(key(operand));
    if (found != converted_.end()) {
      here().operands[o] = found->second;
      return;
    }
    const Images of = interleaved ? images : interleaved_.at(key(operand));
    const Operand other = add_buffer(&program_, of.batch * of.elements, Dtype::kFloat32);
    convert(at_++, interleaved ? "interleave" : "deinterleave", other, operand, of);
    here().operands[o] = other;
    if (writers(operand) <= 1) converted_[key(operand)] = other;
  }

  // Lets output o be written interleaved; where the step has to hand it out, it is converted after this.
  void write(std::size_t o, const Images& images) {
    const Operand operand = here().operands[o];
    if (may_be_interleaved(operand)) {
      interleaved_[key(operand)] = images;
      return;
    }
    const Operand other = add_buffer(&program_, images.batch * images.elements, Dtype::kFloat32);
    here().operands[o] = other;
    convert(at_ + 1, "deinterleave", operand, other, images);
    interleaved_[key(other)] = images;
  }

  // A convolution over interleaved images.
  bool convolve() {
    Conv2dGeometry g;
    ConvImages at;
    if (!is_interleaved_conv(here(), &g, &at)) return false;
    if (is(here(), "conv2d_max_pool2d")) return convolve_and_pool(g);
    if (!is_float(operand_of(here(), at.output))) return false;
    const std::size_t input_image = at.input, output_image = at.output;
    set_param(&here(), kConvInterleaved, 1.0);
    const Images input{g.batch, g.in_h * g.in_w * g.in_c}, output{g.batch, g.out_h * g.out_w * g.out_c};
    is_output(input_image) ? write(input_image, input) : read(input_image, true, input);
    is_output(output_image) ? write(output_image, output) : read(output_image, true, output);
    return true;
  }

  // Later instructions find the pooled images in the layout they want.
  bool convolve_and_pool(const Conv2dGeometry& g) {
    set_param(&here(), kConvInterleaved, 1.0);
    read(kPooledImages.input, true, {g.batch, g.in_h * g.in_w * g.in_c});
    const Operand y = operand_of(here(), kPooledY);
    if (writers(y) > 1) return true;
    const Operand other =
        add_buffer(&program_, program_.buffers[static_cast<std::size_t>(y.index)].size, Dtype::kFloat32);
    set_operand(&here(), kPooledImages.output, other);
    converted_[key(y)] = other;
    return true;
  }

  // A layout that nobody wanted is not written.
  void drop_unread() {
    for (Recorded& conv : program_.instructions) {
      if (!is(conv, "conv2d_max_pool2d")) continue;
      for (const std::size_t o : {kPooledY, kPooledImages.output}) {
        const Operand y = operand_of(conv, o);
        if (is_internal(program_, y) && uses(program_, y) == 1) set_operand(&conv, o, Operand{});
      }
    }
  }

  // What is no float cannot be converted: only poolings over buffers, which follow, may read it.
  bool winners_may_follow(const Operand& winners) {
    for (const Recorded& instruction : program_.instructions) {
      const auto is_buffer = [](const Operand& operand) { return operand.kind == Operand::Kind::kBuffer; };
      if (!touches(instruction, winners) || writes(instruction, winners)) continue;
      if (!is_pool(instruction) ||
          !std::all_of(instruction.operands.begin(), instruction.operands.end(), is_buffer)) {
        return false;
      }
    }
    return may_be_interleaved(winners);
  }

  // An instruction that computes the same in both layouts, and has an interleaved input.
  bool follow() {
    const bool pool = is_pool(here());
    if (!pool && !is_elementwise(here())) return false;
    std::int64_t batch = 0;
    for (std::size_t o = 0; o < here().operands.size(); ++o) {
      const Operand& operand = here().operands[o];
      if (operand.kind != Operand::Kind::kBuffer) return false;
      if (!is_float(operand) && !(is_output(o) ? winners_may_follow(operand) : is_interleaved(operand)))
        return false;
      if (!is_output(o) && is_interleaved(operand)) batch = interleaved_.at(key(operand)).batch;
    }
    if (batch == 0 || (pool && here().params.size() <= kPoolChannelsParam)) return false;
    for (std::size_t o = 0; o < here().operands.size(); ++o) {
      const auto index = static_cast<std::size_t>(here().operands[o].index);
      const Images images{batch, program_.buffers[index].size / batch};
      is_output(o) ? write(o, images) : read(o, true, images);
    }
    if (pool) {
      here().params[kPoolBatchParam] /= static_cast<double>(kLanes);
      here().params[kPoolChannelsParam] *= static_cast<double>(kLanes);
    }
    return true;
  }

  Program& program_;
  int at_ = 0;
  std::map<Key, Images> interleaved_;  // what is written interleaved
  std::map<Key, Operand> converted_;   // the same images in the other layout
};

}  // namespace

bool is_interleaved_convolution(const Program& program, const Recorded& conv) {
  Conv2dGeometry g;
  ConvImages at;
  if (!is(conv, "conv2d_forward") || !is_interleaved_conv(conv, &g, &at)) return false;
  const Operand y = operand_of(conv, at.output);
  return y.kind == Operand::Kind::kBuffer &&
         program.buffers[static_cast<std::size_t>(y.index)].dtype == Dtype::kFloat32;
}

int keep_interleaved(Program* program) { return Walk(program).run(); }

}  // namespace receptive::plan
