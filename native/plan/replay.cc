// SPDX-License-Identifier: Apache-2.0
#include "plan/replay.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "kernels/select.h"
#include "plan/execute.h"
#include "plan/rewrite.h"
#include "plan/updates.h"
#include "runtime/denormals.h"
#include "runtime/thread_limit.h"

namespace receptive::plan {
namespace {

std::size_t bytes_of(const Buffer& buffer) {
  return static_cast<std::size_t>(buffer.size) * dtype_bytes(buffer.dtype);
}

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double number_at(const char* data, Dtype dtype) {
  const Buffer buffer{const_cast<char*>(data), 1, dtype};
  switch (dtype) {
    case Dtype::kFloat32:
      return *buffer.as<float>();
    case Dtype::kFloat64:
      return *buffer.as<double>();
    case Dtype::kInt32:
      return *buffer.as<std::int32_t>();
    case Dtype::kUint8:
      return *buffer.as<std::uint8_t>();
  }
  return 0;
}

}  // namespace

Replay::Replay(PlannedStep planned) : planned_(std::move(planned)) {
  streams_ = program_.with_role(BufferSpec::Role::kStream);
  for (const int output : program_.with_role(BufferSpec::Role::kOutput)) {
    (program_.buffers[static_cast<std::size_t>(output)].size == 1 ? numbers_ : arrays_).push_back(output);
  }
  for (const Recorded& instruction : program_.instructions) {
    first_.push_back(operands_.size());
    operands_.resize(operands_.size() + instruction.operands.size());
  }
  for (std::size_t i = 0; i < first_.size(); ++i) {
    const Recorded& instruction = program_.instructions[i];
    arguments_.emplace_back(operands_.data() + first_[i], static_cast<int>(instruction.operands.size()),
                            instruction.params.data(), static_cast<int>(instruction.params.size()));
  }
  find_exposed();
}

// Running statistics and counters, mostly: the forward pass moves them before the loss is known. The updates
// come after all checks, so weights are not among them.
void Replay::find_exposed() {
  std::size_t checks = program_.instructions.size();
  while (checks > 0 && !is(program_.instructions[checks - 1], "require_finite")) --checks;
  std::vector<int> seen;
  for (std::size_t i = 0; i < checks; ++i) {
    const Recorded& instruction = program_.instructions[i];
    const OpcodeTraits& traits = opcode_traits(instruction.opcode);
    for (std::size_t o = 0; o < instruction.operands.size(); ++o) {
      const Operand& operand = instruction.operands[o];
      if (operand.kind != Operand::Kind::kTensor || !traits.writes_operand(o)) continue;
      if (std::find(seen.begin(), seen.end(), operand.index) != seen.end()) continue;
      seen.push_back(operand.index);
      exposed_.push_back(first_[i] + o);
    }
  }
}

void Replay::save_exposed() {
  char* to = static_cast<char*>(saved_.data());
  for (const std::size_t operand : exposed_) {
    const Buffer& tensor = operands_[operand];
    std::memcpy(to, tensor.data, bytes_of(tensor));
    to += bytes_of(tensor);
  }
}

void Replay::restore_exposed() {
  const char* from = static_cast<const char*>(saved_.data());
  for (const std::size_t operand : exposed_) {
    const Buffer& tensor = operands_[operand];
    std::memcpy(tensor.data, from, bytes_of(tensor));
    from += bytes_of(tensor);
  }
}

Status Replay::bind(const TensorTable& tensors) {
  for (std::size_t i = 0; i < program_.instructions.size(); ++i) {
    const Recorded& instruction = program_.instructions[i];
    for (std::size_t o = 0; o < instruction.operands.size(); ++o) {
      if (instruction.operands[o].kind != Operand::Kind::kTensor) continue;
      const Buffer* buffer = tensors.find(instruction.operands[o].index);
      if (buffer == nullptr) {
        return Status::refuse(
            "ERR_DISPOSED", "every tensor of the recorded step to be alive",
            std::string("one that ") + opcode_name(instruction.opcode) + " needs was disposed");
      }
      operands_[first_[i] + o] = *buffer;
    }
  }
  look_for_changes(tensors);
  return Status::success();
}

void Replay::look_for_changes(const TensorTable& tensors) {
  std::size_t count = 0;
  const auto note = [&](std::uint64_t version) {
    if (count == versions_.size()) versions_.push_back(0);
    if (version == 0 || versions_[count] != version) is_current_ = false;
    versions_[count++] = version;
  };
  for (int i = 0; i < program_.once; ++i) {
    for (const Operand& operand : program_.instructions[static_cast<std::size_t>(i)].operands)
      if (operand.kind == Operand::Kind::kTensor) note(tensors.version(operand.index));
  }
  if (kernels_ != &kernels()) is_current_ = false;
  kernels_ = &kernels();
}

Status Replay::reserve() {
  std::size_t saved = 0;
  for (const std::size_t operand : exposed_) saved += bytes_of(operands_[operand]);
  const auto has_room = [](AlignedBuffer* buffer, std::size_t bytes) {
    return bytes == 0 || buffer->reserve(bytes) != nullptr;
  };
  const auto arena = static_cast<std::size_t>(memory_.arena_bytes);
  if (has_room(&arena_, arena) && has_room(&saved_, saved)) return Status::success();
  return Status::refuse("ERR_OUT_OF_MEMORY", std::to_string(arena + saved) + " bytes for the step's buffers",
                        "none from the system");
}

// Points operands at the arena and at this step's slices of the streams.
void Replay::place(const Run& run, std::int64_t step) {
  char* arena = static_cast<char*>(arena_.data());
  for (std::size_t i = 0; i < program_.instructions.size(); ++i) {
    const Recorded& instruction = program_.instructions[i];
    for (std::size_t o = 0; o < instruction.operands.size(); ++o) {
      if (instruction.operands[o].kind != Operand::Kind::kBuffer) continue;
      const int index = instruction.operands[o].index;
      const BufferSpec& spec = program_.buffers[static_cast<std::size_t>(index)];
      char* data = nullptr;
      if (spec.role == BufferSpec::Role::kStream) {
        std::size_t stream = 0;
        while (streams_[stream] != index) ++stream;
        data = const_cast<char*>(run.streams[stream]) + step * spec.bytes();
      } else {
        data = arena + memory_.offsets[static_cast<std::size_t>(index)];
      }
      operands_[first_[i] + o] = {data, spec.size, spec.dtype};
    }
  }
  for (const Varying& varying : program_.varying) {
    program_.instructions[static_cast<std::size_t>(varying.instruction)]
        .params[static_cast<std::size_t>(varying.param)] =
        run.variables[step * program_.variables + varying.variable];
  }
}

Status Replay::one_step(const Run& run, std::int64_t step, Turn* turn) {
  const ThreadLimit limit(run.threads);
  const FlushDenormals flush;
  place(run, step);
  save_exposed();
  const Status status = instructions(is_current_ ? static_cast<std::size_t>(program_.once) : 0, turn);
  is_current_ = is_current_ || status.ok();
  if (status.ok()) {
    hand_out(run, step);
  } else {
    restore_exposed();
  }
  return status;
}

Status Replay::instructions(std::size_t begin, Turn* turn) {
  for (std::size_t i = begin; i < program_.instructions.size();) {
    const int opcode = program_.instructions[i].opcode, count = planned_.run_length[i];
    const auto start = times_.empty() ? Clock::time_point() : Clock::now();
    const Status status =
        count > 1 ? call_updates(opcode, &arguments_[i], count) : call(opcode, arguments_[i]);
    if (!times_.empty()) times_[i] = milliseconds_since(start);
    i += static_cast<std::size_t>(count);
    if (!status.ok()) return status;
    turn->between_instructions();
  }
  return Status::success();
}

void Replay::hand_out(const Run& run, std::int64_t step) const {
  const char* arena = static_cast<const char*>(arena_.data());
  const auto steps = static_cast<std::size_t>(run.steps), row = static_cast<std::size_t>(step);
  for (std::size_t o = 0; o < numbers_.size(); ++o) {
    const auto index = static_cast<std::size_t>(numbers_[o]);
    run.numbers[o * steps + row] = number_at(arena + memory_.offsets[index], program_.buffers[index].dtype);
  }
  for (std::size_t o = 0; o < arrays_.size(); ++o) {
    const auto index = static_cast<std::size_t>(arrays_[o]);
    const auto bytes = static_cast<std::size_t>(program_.buffers[index].bytes());
    std::memcpy(run.arrays[o] + row * bytes, arena + memory_.offsets[index], bytes);
  }
}

}  // namespace receptive::plan
