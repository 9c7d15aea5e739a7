// SPDX-License-Identifier: Apache-2.0
#include "binding/plan_profile.h"

#include "plan/algorithms.h"
#include "plan/conv2d.h"
#include "plan/execute.h"

namespace receptive::binding {
namespace {

double operand_bytes(const plan::Arguments& args, std::size_t count) {
  double bytes = 0;
  for (int i = 0; i < static_cast<int>(count); ++i) {
    if (args.has(i))
      bytes += static_cast<double>(args.size(i)) * static_cast<double>(dtype_bytes(args.dtype(i)));
  }
  return bytes;
}

}  // namespace

Napi::Array operation_names(Napi::Env env, const plan::Replay& replay) {
  Napi::Array names = Napi::Array::New(env);
  std::uint32_t index = 0;
  for (const plan::Recorded& instruction : replay.program().instructions)
    names.Set(index++, Napi::String::New(env, plan::opcode_name(instruction.opcode)));
  return names;
}

Napi::Array convolution_lines(Napi::Env env, const plan::Replay& replay) {
  Napi::Array lines = Napi::Array::New(env);
  std::uint32_t index = 0;
  for (const std::string& line : plan::convolution_algorithms(replay.program()))
    lines.Set(index++, Napi::String::New(env, line));
  return lines;
}

Napi::Array profile_rows(Napi::Env env, const plan::Replay& replay) {
  Napi::Array rows = Napi::Array::New(env);
  const std::vector<plan::Recorded>& instructions = replay.program().instructions;
  std::uint32_t row = 0;
  for (std::size_t i = 0; i < replay.times().size();) {
    const plan::Recorded& instruction = instructions[i];
    const auto updates = static_cast<std::size_t>(replay.planned().run_length[i]);
    double bytes = 0;
    for (std::size_t u = 0; u < updates; ++u)
      bytes += operand_bytes(replay.arguments(i + u), instructions[i + u].operands.size());
    Napi::Array numbers = Napi::Array::New(env, instruction.params.size());
    for (std::size_t p = 0; p < instruction.params.size(); ++p)
      numbers.Set(static_cast<std::uint32_t>(p), Napi::Number::New(env, instruction.params[p]));
    Napi::Object fields = Napi::Object::New(env);
    const char* name = plan::opcode_name(instruction.opcode);
    fields.Set("op", Napi::String::New(env, name));
    fields.Set("origin", Napi::Number::New(env, instruction.origin));
    fields.Set("ms", Napi::Number::New(env, replay.times()[i]));
    fields.Set("numbers", numbers);
    fields.Set("bytes", Napi::Number::New(env, bytes));
    fields.Set("algorithm", Napi::String::New(env, plan::conv2d_algorithm(name, replay.arguments(i))));
    fields.Set("updates", Napi::Number::New(env, static_cast<double>(updates)));
    rows.Set(row++, fields);
    i += updates;
  }
  return rows;
}

}  // namespace receptive::binding
