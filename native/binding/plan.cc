// SPDX-License-Identifier: Apache-2.0
// A recorded step as a JavaScript object: made from flat arrays, run on a thread of its own that tells
// JavaScript how far it is. The driver thread touches no JavaScript; it ends before its environment does.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "binding/environment.h"
#include "binding/step_copies.h"
#include "plan/driver.h"
#include "plan/execute.h"
#include "plan/program.h"
#include "plan/replay.h"

namespace receptive::binding {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(20);

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

// The order of lib/native/recorder.ts
bool decode(Reader* reader, plan::Program* program) {
  program->instructions.resize(static_cast<std::size_t>(reader->count()));
  for (plan::Recorded& instruction : program->instructions) {
    instruction.opcode = reader->integer();
    instruction.operands.resize(static_cast<std::size_t>(reader->count()));
    for (plan::Operand& operand : instruction.operands) operand = plan::decode_operand(reader->integer());
    instruction.params.resize(static_cast<std::size_t>(reader->count()));
    for (double& param : instruction.params) param = reader->number();
  }
  program->buffers.resize(static_cast<std::size_t>(reader->count()));
  for (plan::BufferSpec& buffer : program->buffers) {
    const int dtype = reader->integer(), role = reader->integer();
    if (dtype < 0 || dtype > 3 || role < 0 || role > 2) return false;
    buffer = {static_cast<std::int64_t>(reader->number()), static_cast<Dtype>(dtype),
              static_cast<plan::BufferSpec::Role>(role)};
  }
  program->varying.resize(static_cast<std::size_t>(reader->count()));
  for (plan::Varying& varying : program->varying) {
    varying.instruction = reader->integer();
    varying.param = reader->integer();
    varying.variable = reader->integer();
  }
  program->variables = reader->integer();
  return reader->complete();
}

class Plan : public Napi::ObjectWrap<Plan>, public RunningPlan {
 public:
  static void define(Napi::Env env, Napi::Object exports) {
    exports.Set("Plan",
                DefineClass(env, "Plan",
                            {InstanceMethod<&Plan::run>("run"), InstanceMethod<&Plan::run_sync>("runSync"),
                             InstanceMethod<&Plan::stop>("stop"), InstanceMethod<&Plan::describe>("describe"),
                             InstanceMethod<&Plan::operations>("operations"),
                             InstanceMethod<&Plan::set_manners>("setManners"),
                             InstanceMethod<&Plan::dispose>("dispose")}));
  }

  // new Plan(integers, numbers, most bytes (Infinity: as they come), whether to fold)
  explicit Plan(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Plan>(info) {
    const auto ints = info[0].As<Napi::Int32Array>();
    const auto numbers = info[1].As<Napi::Float64Array>();
    Reader reader(ints.Data(), ints.ElementLength(), numbers.Data(), numbers.ElementLength());
    plan::Program program;
    if (!decode(&reader, &program)) {
      throw_refusal(info.Env(), "ERR_ARGUMENT", "a recorded step", "arrays that end early or late");
    }
    const Status status = program.check();
    if (!status.ok()) throw_refusal(info.Env(), status.code, status.expected, status.received);
    plan::PlanOptions options;
    const double most = info[2].As<Napi::Number>().DoubleValue();
    if (most < 0x1p62) options.max_bytes = static_cast<std::int64_t>(most);
    options.fold = info[3].As<Napi::Boolean>().Value();
    plan::PlannedStep planned;
    const Status fits = plan::plan_step(std::move(program), options, &planned);
    if (!fits.ok()) throw_refusal(info.Env(), fits.code, fits.expected, fits.received);
    replay_ = std::make_unique<plan::Replay>(std::move(planned));
    for (const plan::Recorded& instruction : replay_->program().instructions) {
      for (const plan::Operand& operand : instruction.operands) {
        if (operand.kind == plan::Operand::Kind::kTensor) tensors_.push_back({operand.index, 0});
      }
    }
    const TensorTable& table = environment(info.Env()).tensors;
    for (auto& tensor : tensors_) tensor.second = table.generation(tensor.first);
  }

  ~Plan() override { end_driver(); }  // before the plan that it may be replaying

 private:
  struct Job {
    plan::Run run;
    std::vector<Napi::ObjectReference> arrays;  // what run points into
    Napi::ThreadSafeFunction report;
    std::atomic<bool> reported{false};  // a progress report waits for JavaScript
    StepCopies copies;
  };

  using Tensors = std::vector<std::pair<int, std::uint32_t>>;  // handle, generation

  // Arguments (steps, variables, streams, numbers, arrays, threads); checks that the arrays hold what the
  // steps will touch.
  void prepare(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (replay_ == nullptr) throw_refusal(env, "ERR_DISPOSED", "a live plan", "one that was disposed");
    if (job_ != nullptr) throw_refusal(env, "ERR_BUSY", "a plan that is not running", "one that is");
    TensorTable& table = environment(env).tensors;
    for (const auto& tensor : tensors_) {
      if (table.generation(tensor.first) != tensor.second || tensor.second == 0) {
        throw_refusal(env, "ERR_DISPOSED", "every tensor of the recorded step to be alive",
                      "one that was disposed");
      }
    }
    auto job = std::make_unique<Job>();
    job->run.steps = info[0].As<Napi::Number>().Int64Value();
    const auto variables = info[1].As<Napi::Float64Array>();
    auto numbers = info[3].As<Napi::Float64Array>();
    job->run.threads = info[5].As<Napi::Number>().Int32Value();
    const plan::Program& program = replay_->program();
    const auto steps = static_cast<std::size_t>(job->run.steps);
    std::vector<char*> streams, arrays;
    const bool fits = job->run.steps >= 0 &&
                      variables.ElementLength() >= steps * static_cast<std::size_t>(program.variables) &&
                      numbers.ElementLength() >= steps * replay_->number_outputs().size() &&
                      find_arrays(env, info[2].As<Napi::Array>(), replay_->streams(), steps, &streams) &&
                      find_arrays(env, info[4].As<Napi::Array>(), replay_->array_outputs(), steps, &arrays);
    if (!fits) throw_refusal(env, "ERR_SHAPE", "arrays for every step of the run", "shorter ones");
    job->run.streams.assign(streams.begin(), streams.end());
    job->run.arrays = std::move(arrays);
    job->run.variables = variables.Data();
    job->run.numbers = numbers.Data();
    const Status status = replay_->bind(table);
    if (!status.ok()) throw_refusal(env, status.code, status.expected, status.received);
    for (std::size_t i = 1; i <= 4; ++i) job->arrays.push_back(Napi::Persistent(info[i].As<Napi::Object>()));
    for (const auto& tensor : tensors_) table.pin(tensor.first);
    job_ = std::move(job);
  }

  // The memory of one typed array for each buffer; false where one is missing or too short for the steps.
  bool find_arrays(Napi::Env env, const Napi::Array& given, const std::vector<int>& buffers,
                   std::size_t steps, std::vector<char*>* found) {
    if (given.Length() != buffers.size()) return false;
    for (std::uint32_t i = 0; i < given.Length(); ++i) {
      const Napi::Value value = given[i];
      if (!value.IsTypedArray()) return false;
      const auto array = value.As<Napi::TypedArray>();
      const plan::BufferSpec& spec = replay_->program().buffers[static_cast<std::size_t>(buffers[i])];
      if (array.ByteLength() < steps * static_cast<std::size_t>(spec.bytes())) return false;
      void* data = nullptr;
      napi_get_typedarray_info(env, array, nullptr, nullptr, &data, nullptr, nullptr);
      found->push_back(static_cast<char*>(data));
    }
    return true;
  }

  template <typename Progress>
  Status replay(Job* job, const Progress& progress) {
    try {
      return replay_->run(&job->run, progress);
    } catch (const std::bad_alloc&) {
      return Status::refuse("ERR_OUT_OF_MEMORY", "enough memory for the step's workspace", "none left");
    }
  }

  // runSync(steps, variables, streams, numbers, arrays, threads, report): all of it on this thread
  void run_sync(const Napi::CallbackInfo& info) {
    prepare(info);
    const Status status = replay(job_.get(), [] {});
    tell(info.Env(), info[6].As<Napi::Function>(), release_job(info.Env()), status);
  }

  // run(steps, variables, streams, numbers, arrays, threads, report): report(done, finished, error?) on this
  // thread, later
  void run(const Napi::CallbackInfo& info) {
    prepare(info);
    const Napi::Env env = info.Env();
    job_->report = Napi::ThreadSafeFunction::New(env, info[6].As<Napi::Function>(), "receptive plan", 0, 1);
    // Runs before the environment takes its functions away, because it was added later.
    napi_add_env_cleanup_hook(env, end_with_environment, this);
    Ref();  // alive until the run is over, whoever holds the object
    environment(env).running_plans.push_back(this);
    Job* job = job_.get();
    job->run.manners = manners_;
    job->run.manners.queues = true;
    try {
      driver_.start([this, job] { drive(job); });
    } catch (const std::system_error&) {
      job_->report.Release();
      end_run(env);
      throw_refusal(env, "ERR_OUT_OF_MEMORY", "a thread to run the plan on", "none from the system");
    }
  }

  // On the driver thread.
  void drive(Job* job);

  static void end_with_environment(void* plan) { static_cast<Plan*>(plan)->end_driver(); }

  void end_driver() {
    const Hurry hurry;
    if (job_ != nullptr) job_->run.stop = true;
    driver_.end();
  }

  // On JavaScript's thread, after the last step.
  void finish(Napi::Env env, Napi::Function report, const Status& status) {
    job_->copies.make();  // those that were asked for after the last step
    job_->copies.settle(env);
    const double done = end_run(env);
    tell(env, report, done, status);
  }

  // Undoes what `run` did, and says how many steps were done.
  double end_run(Napi::Env env) {
    const double done = release_job(env);
    std::vector<RunningPlan*>& running = environment(env).running_plans;
    running.erase(std::remove(running.begin(), running.end(), this), running.end());
    napi_remove_env_cleanup_hook(env, end_with_environment, this);
    Unref();
    return done;
  }

  // Steps done
  double release_job(Napi::Env env) {
    const double done = static_cast<double>(job_->run.done);
    job_.reset();
    for (const auto& tensor : tensors_) environment(env).tensors.unpin(tensor.first);
    return done;
  }

  // Tells how far the run came, and what ended it early.
  static void tell(Napi::Env env, const Napi::Function& report, double done, const Status& status) {
    Napi::Value error = env.Undefined();
    if (!status.ok()) {
      Napi::Object refusal = Napi::Object::New(env);
      refusal.Set("code", status.code);
      refusal.Set("expected", status.expected);
      refusal.Set("received", status.received);
      error = refusal;
    }
    report.Call({Napi::Number::New(env, done), Napi::Boolean::New(env, true), error});
  }

  // setManners(background, cpuShare): for the runs to come
  void set_manners(const Napi::CallbackInfo& info) {
    const bool background = info[0].ToBoolean();
    // A thread that was made to run after others cannot be raised again: another takes its place.
    if (background != manners_.background && job_ == nullptr) driver_.end();
    manners_.background = background;
    const double share = number_argument(info, 1);
    manners_.cpu_share = share > 0 && share < 1 ? share : 1;
  }

  bool writes(int handle) const override {
    const auto& instructions = replay_->program().instructions;
    // Outputs come first; a tensor in their place is a parameter, a statistic or an optimizer's memory.
    return std::any_of(instructions.begin(), instructions.end(), [&](const plan::Recorded& instruction) {
      return !instruction.operands.empty() && instruction.operands[0].kind == plan::Operand::Kind::kTensor &&
             instruction.operands[0].index == handle;
    });
  }

  StepCopies& copies() override { return job_->copies; }

  void stop(const Napi::CallbackInfo&) {
    if (job_ != nullptr) job_->run.stop = true;
  }

  void dispose(const Napi::CallbackInfo& info) {
    if (job_ != nullptr) throw_refusal(info.Env(), "ERR_BUSY", "a plan that is not running", "one that is");
    driver_.end();
    replay_.reset();
  }

  // operations(): the names of the instructions, in the order in which they run
  Napi::Value operations(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (replay_ == nullptr) throw_refusal(env, "ERR_DISPOSED", "a live plan", "one that was disposed");
    Napi::Array names = Napi::Array::New(env);
    std::uint32_t index = 0;
    for (const plan::Recorded& instruction : replay_->program().instructions)
      names.Set(index++, Napi::String::New(env, plan::opcode_name(instruction.opcode)));
    return names;
  }

  Napi::Value describe(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (replay_ == nullptr) throw_refusal(env, "ERR_DISPOSED", "a live plan", "one that was disposed");
    Napi::Object result = Napi::Object::New(env);
    const auto set = [&](const char* name, double value) { result.Set(name, Napi::Number::New(env, value)); };
    set("instructions", static_cast<double>(replay_->program().instructions.size()));
    set("buffers", static_cast<double>(replay_->program().buffers.size()));
    const plan::PlannedStep& planned = replay_->planned();
    set("peakBytes", static_cast<double>(planned.memory.arena_bytes));
    set("unsharedBytes", static_cast<double>(planned.memory.unshared_bytes));
    set("inPlace", planned.memory.in_place);
    set("recomputed", planned.recomputed);
    Napi::Object fusions = Napi::Object::New(env);
    for (const auto& fusion : planned.fusions)
      if (fusion.second > 0) fusions.Set(fusion.first, Napi::Number::New(env, fusion.second));
    result.Set("fusions", fusions);
    return result;
  }

  std::unique_ptr<plan::Replay> replay_;
  std::unique_ptr<Job> job_;
  Manners manners_;
  plan::Driver driver_;
  Tensors tensors_;
};

void Plan::drive(Job* job) {
  Napi::ThreadSafeFunction report = job->report;  // outlives the job, which `finish` ends
  auto last = std::chrono::steady_clock::now();
  const Status status = replay(job, [&] {
    if (job->copies.due()) {
      job->copies.make();
      report.NonBlockingCall([job](Napi::Env env, Napi::Function) { job->copies.settle(env); });
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - last < kProgressInterval || job->reported.exchange(true)) return;
    last = now;
    report.NonBlockingCall([job](Napi::Env env, Napi::Function report) {
      job->reported = false;
      report.Call(
          {Napi::Number::New(env, static_cast<double>(job->run.done)), Napi::Boolean::New(env, false)});
    });
  });
  report.NonBlockingCall(
      [this, status](Napi::Env env, Napi::Function report) { finish(env, report, status); });
  report.Release();
}

}  // namespace

void export_plan(Napi::Env env, Napi::Object exports) { Plan::define(env, exports); }

}  // namespace receptive::binding
