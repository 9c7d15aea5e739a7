// SPDX-License-Identifier: Apache-2.0
// Instructions that update parameter tensors in place, one by one or many in one pass.
#include "plan/updates.h"

#include <algorithm>
#include <cstring>

#include "ops/optimizer.h"
#include "plan/execute.h"
#include "plan/opcodes.h"
#include "reference/optimizer.h"
#include "runtime/workspace.h"

namespace receptive::plan {
namespace {

// (parameter, gradient, velocity?; learning rate, momentum, dampening, weight decay, nesterov, first step)
struct Sgd {
  using Part = ops::SgdPart;

  static ops::SgdOptions options(const Arguments& args) {
    return {args.number(0), args.number(1),      args.number(2),
            args.number(3), args.number(4) != 0, args.number(5) != 0};
  }
  static Status check(const Arguments& args) {
    const std::int64_t size = args.size(0);
    RECEPTIVE_CHECK(args.require(0, float_dtype(args), size));
    RECEPTIVE_CHECK(args.require(1, float_dtype(args), size));
    return options(args).momentum != 0 ? args.require(2, float_dtype(args), size)
                                       : args.allow(2, float_dtype(args), size);
  }
  static Part part(const Arguments& args) {
    return {args.data<float>(0), args.data<float>(1), args.data<float>(2), args.size(0), options(args)};
  }
  static void run(const Part* parts, int count) { ops::sgd_update(parts, count); }
  static void run_double(const Arguments& args) {
    reference::sgd_update(args.data<double>(0), args.data<double>(1), args.data<double>(2), args.size(0),
                          options(args));
  }
};

// (parameter, gradient, mean, square; learning rate, beta1, beta2, epsilon, weight decay, decoupled, step
// number from 1)
struct Adam {
  using Part = ops::AdamPart;

  static ops::AdamOptions options(const Arguments& args) {
    return {args.number(0), args.number(1),      args.number(2), args.number(3),
            args.number(4), args.number(5) != 0, args.number(6)};
  }
  static Status check(const Arguments& args) {
    RECEPTIVE_CHECK(args.require_sizes(6, 1, 1));
    for (int i = 0; i < 4; ++i) RECEPTIVE_CHECK(args.require(i, float_dtype(args), args.size(0)));
    return Status::success();
  }
  static Part part(const Arguments& args) {
    return {args.data<float>(0), args.data<float>(1), args.data<float>(2),
            args.data<float>(3), args.size(0),        options(args)};
  }
  static void run(const Part* parts, int count) { ops::adam_update(parts, count); }
  static void run_double(const Arguments& args) {
    reference::adam_update(args.data<double>(0), args.data<double>(1), args.data<double>(2),
                           args.data<double>(3), args.size(0), options(args));
  }
};

template <typename Rule>
Status update(const Arguments* updates, int count) {
  for (int i = 0; i < count; ++i) RECEPTIVE_CHECK(Rule::check(updates[i]));
  auto* parts = workspace<typename Rule::Part>(Slot::kTaskResult, count);
  int floats = 0;
  for (int i = 0; i < count; ++i) {
    if (is_double(updates[i])) {
      Rule::run_double(updates[i]);
    } else {
      parts[floats++] = Rule::part(updates[i]);
    }
  }
  if (floats > 0) Rule::run(parts, floats);
  return Status::success();
}

}  // namespace

Status sgd_update(const Arguments& args) { return update<Sgd>(&args, 1); }
Status adam_update(const Arguments& args) { return update<Adam>(&args, 1); }

bool is_update(int opcode) {
  const char* name = opcode_name(opcode);
  return std::strcmp(name, "sgd_update") == 0 || std::strcmp(name, "adam_update") == 0;
}

Status call_updates(int opcode, const Arguments* updates, int count) {
  return std::strcmp(opcode_name(opcode), "sgd_update") == 0 ? update<Sgd>(updates, count)
                                                             : update<Adam>(updates, count);
}

}  // namespace receptive::plan
