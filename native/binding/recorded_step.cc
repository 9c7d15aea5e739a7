// SPDX-License-Identifier: Apache-2.0
#include "binding/recorded_step.h"

namespace receptive::binding {
namespace {

// Reads numbers one after another; says whether there were enough.
class Reader {
 public:
  Reader(const std::int32_t* ints, std::size_t int_count, const double* numbers, std::size_t number_count)
      : ints_(ints), numbers_(numbers), int_count_(int_count), number_count_(number_count) {}
  int integer() { return int_at_ < int_count_ ? ints_[int_at_++] : fail(); }
  double number() { return number_at_ < number_count_ ? numbers_[number_at_++] : fail(); }
  // A count that the rest of the arrays can hold
  int count() {
    const int value = integer();
    return value >= 0 && static_cast<std::size_t>(value) <= int_count_ + number_count_ ? value : fail();
  }
  bool complete() const { return complete_ && int_at_ == int_count_ && number_at_ == number_count_; }

 private:
  int fail() {
    complete_ = false;
    return 0;
  }
  const std::int32_t* ints_;
  const double* numbers_;
  std::size_t int_count_, number_count_, int_at_ = 0, number_at_ = 0;
  bool complete_ = true;
};

bool decode(Reader* reader, plan::Program* program) {
  program->instructions.resize(static_cast<std::size_t>(reader->count()));
  int place = 0;
  for (plan::Recorded& instruction : program->instructions) {
    instruction.origin = place++;
    instruction.opcode = reader->integer();
    instruction.operands.resize(static_cast<std::size_t>(reader->count()));
    for (plan::Operand& operand : instruction.operands) operand = plan::decode_operand(reader->integer());
    instruction.params.resize(static_cast<std::size_t>(reader->count()));
    for (double& param : instruction.params) param = reader->number();
  }
  program->buffers.resize(static_cast<std::size_t>(reader->count()));
  for (plan::BufferSpec& buffer : program->buffers) {
    const int dtype = reader->integer(), role = reader->integer();
    const double size = reader->number();
    if (dtype < 0 || dtype > 3 || role < 0 || role > 2 || !(size >= 0 && size <= 0x1p53)) return false;
    buffer = {static_cast<std::int64_t>(size), static_cast<Dtype>(dtype),
              static_cast<plan::BufferSpec::Role>(role)};
  }
  program->varying.resize(static_cast<std::size_t>(reader->count()));
  for (plan::Varying& varying : program->varying) {
    varying.instruction = reader->integer();
    varying.param = reader->integer();
    varying.variable = reader->integer();
  }
  program->variables = reader->integer();
  if (program->variables < 0) return false;
  return reader->complete();
}

}  // namespace

bool decode_step(const Napi::CallbackInfo& info, plan::Program* program) {
  const Napi::TypedArray ints = array_argument(info, 0), numbers = array_argument(info, 1);
  if (ints.TypedArrayType() != napi_int32_array || numbers.TypedArrayType() != napi_float64_array)
    throw_refusal(info.Env(), "ERR_DTYPE", "an Int32Array and a Float64Array", "other kinds of arrays");
  Reader reader(ints.As<Napi::Int32Array>().Data(), ints.ElementLength(),
                numbers.As<Napi::Float64Array>().Data(), numbers.ElementLength());
  return decode(&reader, program);
}

}  // namespace receptive::binding
