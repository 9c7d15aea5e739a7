// SPDX-License-Identifier: Apache-2.0
// Instructions that update parameter tensors in place, one by one or many in one pass.
//
// All have the same operands: (parameter, gradient, state 0, 1 and 2, squares [1] double). What a rule does
// not keep of its state is left out. With `squares`, the sum of the squares of all gradients, they are
// clipped by norm. After the numbers of the rule come three for the gradient: whether to climb; the largest
// norm; the largest magnitude, 0 for no limit.
#include "plan/updates.h"

#include <algorithm>
#include <cstring>

#include "ops/clip.h"
#include "ops/optimizer.h"
#include "plan/execute.h"
#include "plan/opcodes.h"
#include "reference/optimizer.h"
#include "runtime/workspace.h"

namespace receptive::plan {
namespace {

constexpr int kState = 2, kSquares = 5;  // operands

// A rule says how many numbers it has, which of them counts steps (or -1), and how much state it needs.

// (velocity?; learning rate, momentum, dampening, weight decay, nesterov, first step)
struct Sgd {
  using Options = ops::SgdOptions;
  static constexpr int kNumbers = 6, kStepNumber = -1;

  static Options options(const Arguments& args) {
    return {args.number(0), args.number(1),      args.number(2),
            args.number(3), args.number(4) != 0, args.number(5) != 0};
  }
  static int needed(const Arguments& args) { return options(args).momentum != 0 ? 1 : 0; }
};

// (mean, square, largest square?; learning rate, beta1, beta2, epsilon, weight decay, decoupled, step number
// from 1)
struct Adam {
  using Options = ops::AdamOptions;
  static constexpr int kNumbers = 7, kStepNumber = 6;

  static Options options(const Arguments& args) {
    return {args.number(0), args.number(1),      args.number(2), args.number(3),
            args.number(4), args.number(5) != 0, args.number(6)};
  }
  static int needed(const Arguments&) { return 2; }
};

// (square, mean?, velocity?; learning rate, alpha, epsilon, weight decay, momentum)
struct Rmsprop {
  using Options = ops::RmspropOptions;
  static constexpr int kNumbers = 5, kStepNumber = -1;

  static Options options(const Arguments& args) {
    return {args.number(0), args.number(1), args.number(2), args.number(3), args.number(4)};
  }
  static int needed(const Arguments&) { return 1; }
};

// (sum of squares; learning rate, its decay, epsilon, weight decay, step number from 1)
struct Adagrad {
  using Options = ops::AdagradOptions;
  static constexpr int kNumbers = 5, kStepNumber = 4;

  static Options options(const Arguments& args) {
    return {args.number(0), args.number(1), args.number(2), args.number(3), args.number(4)};
  }
  static int needed(const Arguments&) { return 1; }
};

// (mean; learning rate, beta1, beta2, weight decay)
struct Lion {
  using Options = ops::LionOptions;
  static constexpr int kNumbers = 4, kStepNumber = -1;

  static Options options(const Arguments& args) {
    return {args.number(0), args.number(1), args.number(2), args.number(3)};
  }
  static int needed(const Arguments&) { return 1; }
};

// The parameter is the average, the gradient what is averaged. (; share of the new value)
struct Ema {
  using Options = ops::EmaOptions;
  static constexpr int kNumbers = 1, kStepNumber = -1;

  static Options options(const Arguments& args) { return {args.number(0)}; }
  static int needed(const Arguments&) { return 0; }
};

template <typename Rule>
Status check(const Arguments& args) {
  const std::int64_t size = args.size(0);
  if constexpr (Rule::kStepNumber >= 0) RECEPTIVE_CHECK(args.require_sizes(Rule::kStepNumber, 1, 1));
  for (int i = 0; i < 2; ++i) RECEPTIVE_CHECK(args.require(i, float_dtype(args), size));
  for (int i = 0; i < 3; ++i) {
    RECEPTIVE_CHECK(i < Rule::needed(args) ? args.require(kState + i, float_dtype(args), size)
                                           : args.allow(kState + i, float_dtype(args), size));
  }
  return args.allow(kSquares, Dtype::kFloat64, 1);
}

ops::GradientOptions gradient_options(const Arguments& args, int first) {
  ops::GradientOptions options;
  options.maximize = args.number(first) != 0;
  if (args.has(kSquares))
    options.norm_factor = ops::clip_factor(*args.data<double>(kSquares), args.number(first + 1));
  if (args.number(first + 2) > 0) options.limit = args.number(first + 2);
  return options;
}

template <typename Rule>
ops::UpdatePart<typename Rule::Options> part(const Arguments& args) {
  return {args.data<float>(0),
          args.data<float>(1),
          {args.data<float>(kState), args.data<float>(kState + 1), args.data<float>(kState + 2)},
          args.size(0),
          gradient_options(args, Rule::kNumbers),
          Rule::options(args)};
}

template <typename Rule>
void run_double(const Arguments& args) {
  const reference::UpdateTensors at = {
      args.data<double>(0),
      args.data<double>(1),
      {args.data<double>(kState), args.data<double>(kState + 1), args.data<double>(kState + 2)}};
  reference::update(at, args.size(0), gradient_options(args, Rule::kNumbers), Rule::options(args));
}

template <typename Rule>
Status update(const Arguments* updates, int count) {
  for (int i = 0; i < count; ++i) RECEPTIVE_CHECK(check<Rule>(updates[i]));
  auto* parts = workspace<ops::UpdatePart<typename Rule::Options>>(Slot::kTaskResult, count);
  int floats = 0;
  for (int i = 0; i < count; ++i) {
    if (is_double(updates[i])) {
      run_double<Rule>(updates[i]);
    } else {
      parts[floats++] = part<Rule>(updates[i]);
    }
  }
  if (floats > 0) ops::update(parts, floats);
  return Status::success();
}

struct Named {
  const char* opcode;
  Status (*update)(const Arguments* updates, int count);
};
constexpr Named kRules[] = {
    {"sgd_update", update<Sgd>},         {"adam_update", update<Adam>}, {"rmsprop_update", update<Rmsprop>},
    {"adagrad_update", update<Adagrad>}, {"lion_update", update<Lion>}, {"ema_update", update<Ema>},
};

const Named* rule_of(int opcode) {
  const char* name = opcode_name(opcode);
  for (const Named& rule : kRules) {
    if (std::strcmp(rule.opcode, name) == 0) return &rule;
  }
  return nullptr;
}

}  // namespace

Status sgd_update(const Arguments& args) { return update<Sgd>(&args, 1); }
Status adam_update(const Arguments& args) { return update<Adam>(&args, 1); }
Status rmsprop_update(const Arguments& args) { return update<Rmsprop>(&args, 1); }
Status adagrad_update(const Arguments& args) { return update<Adagrad>(&args, 1); }
Status lion_update(const Arguments& args) { return update<Lion>(&args, 1); }
Status ema_update(const Arguments& args) { return update<Ema>(&args, 1); }

bool is_update(int opcode) { return rule_of(opcode) != nullptr; }

Status call_updates(int opcode, const Arguments* updates, int count) {
  return rule_of(opcode)->update(updates, count);
}

}  // namespace receptive::plan
