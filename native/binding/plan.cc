// SPDX-License-Identifier: Apache-2.0
// A recorded step as a JavaScript object: made from flat arrays, run on a thread of its own that tells
// JavaScript how far it is. The driver thread touches no JavaScript; it ends before its environment does.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <exception>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "binding/cleanup_hook.h"
#include "binding/environment.h"
#include "binding/plan_profile.h"
#include "binding/recorded_step.h"
#include "binding/step_copies.h"
#include "plan/driver.h"
#include "plan/execute.h"
#include "plan/program.h"
#include "plan/replay.h"
#include "runtime/thread_pool.h"

namespace receptive::binding {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(20);
constexpr std::int64_t kMaxSteps = 2147483647;  // of one run: a row of a table each

class Plan : public Napi::ObjectWrap<Plan>, public RunningPlan {
 public:
  static void define(Napi::Env env, Napi::Object exports) {
    exports.Set(
        "Plan",
        DefineClass(
            env, "Plan",
            {InstanceMethod<&Plan::run>("run"), InstanceMethod<&Plan::run_sync>("runSync"),
             InstanceMethod<&Plan::stop>("stop"), InstanceMethod<&Plan::describe>("describe"),
             InstanceMethod<&Plan::profile>("profile"), InstanceMethod<&Plan::operations>("operations"),
             InstanceMethod<&Plan::set_manners>("setManners"), InstanceMethod<&Plan::dispose>("dispose")}));
  }

  // new Plan(integers, numbers, most bytes (Infinity: as they come), whether to fold, whether to tune)
  explicit Plan(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Plan>(info) {
    guarded(info.Env(), [&] { make(info); });
  }

  ~Plan() override { end_driver(); }  // before the plan that it may be replaying

 private:
  struct Job;
  enum class News { kProgress, kCopies, kEnd };
  // On JavaScript's thread, for what the driver thread sent.
  static void hear(Napi::Env env, Napi::Function report, Plan* plan, News* news);
  using Reporter = Napi::TypedThreadSafeFunction<Plan, News, &Plan::hear>;

  struct Job {
    plan::Run run;
    std::vector<Napi::ObjectReference> arrays;  // what run points into
    Reporter report;
    // Sent by address: the driver thread must not fail for want of memory.
    News progress = News::kProgress, copied = News::kCopies, end = News::kEnd;
    std::atomic<bool> reported{false};  // a progress report waits for JavaScript
    StepCopies copies;
    bool holds_plan = false;
    // What it is unless the replay says better: then there may be no memory for words.
    Status status =
        Status::refuse("ERR_OUT_OF_MEMORY", "enough memory for the step's workspace", "none left");
  };

  struct Outer {  // a tensor that outlives the step
    int handle;
    std::uint32_t generation;
    TensorTable::Use use;
  };

  void make(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    plan::Program program;
    if (!decode_step(info, &program))
      throw_refusal(env, "ERR_ARGUMENT", "a recorded step", "arrays that end early or late");
    refuse_unless(env, program.check());
    const double most = number_argument(info, 2);
    if (!(most >= 0)) throw_refusal(env, "ERR_ARGUMENT", "bytes from 0", std::to_string(most));
    plan::PlanOptions options;
    if (most < 0x1p62) options.max_bytes = static_cast<std::int64_t>(most);
    options.fold = info[3].ToBoolean();
    options.tune = info[4].ToBoolean();
    plan::PlannedStep planned;
    refuse_unless(env, plan::plan_step(std::move(program), options, &planned));
    replay_ = std::make_unique<plan::Replay>(std::move(planned));
    const TensorTable& table = environment(env).tensors;
    for (const plan::Recorded& instruction : replay_->program().instructions) {
      const plan::OpcodeTraits& traits = plan::opcode_traits(instruction.opcode);
      for (std::size_t i = 0; i < instruction.operands.size(); ++i) {
        const plan::Operand& operand = instruction.operands[i];
        if (operand.kind != plan::Operand::Kind::kTensor) continue;
        const auto use = traits.writes_operand(i) ? TensorTable::Use::kWrite : TensorTable::Use::kRead;
        tensors_.push_back({operand.index, table.generation(operand.index), use});
      }
    }
  }

  static void refuse_unless(Napi::Env env, const Status& status) {
    if (!status.ok()) throw_refusal(env, status.code, status.expected, status.received);
  }

  const plan::Replay& live(Napi::Env env) const {
    if (replay_ == nullptr) throw_refusal(env, "ERR_DISPOSED", "a live plan", "one that was disposed");
    return *replay_;
  }

  void refuse_while_running(Napi::Env env) const {
    if (job_ != nullptr) throw_refusal(env, "ERR_BUSY", "a plan that is not running", "one that is");
  }

  // The tensors of the step must live, and no other run may change what this one uses.
  void check_tensors(Napi::Env env) const {
    const TensorTable& table = environment(env).tensors;
    for (const Outer& tensor : tensors_) {
      if (table.generation(tensor.handle) != tensor.generation || tensor.generation == 0)
        throw_refusal(env, "ERR_DISPOSED", "every tensor of the recorded step to be alive",
                      "one that was disposed");
      const bool is_free = tensor.use == TensorTable::Use::kWrite ? table.may_write(tensor.handle)
                                                                  : table.may_trust(tensor.handle);
      if (!is_free) throw_refusal(env, "ERR_BUSY", plan::kAtRest, plan::kInUse);
    }
  }

  // Arguments (steps, variables, streams, numbers, arrays, threads, report); checks that the arrays hold what
  // the steps will touch.
  void prepare(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const std::vector<Napi::TypedArray> inputs = arrays_argument(info, 2), outputs = arrays_argument(info, 4);
    const plan::Replay& replay = live(env);
    refuse_while_running(env);
    check_tensors(env);
    const double steps = number_argument(info, 0), threads = number_argument(info, 5);
    if (!(steps >= 0 && steps <= kMaxSteps && steps == std::floor(steps)))
      throw_refusal(env, "ERR_ARGUMENT", "steps from 0 to " + std::to_string(kMaxSteps),
                    std::to_string(steps));
    if (!info[6].IsFunction())
      throw_refusal(env, "ERR_ARGUMENT", "a function for argument 6", "another kind of value");
    const auto variables = array_argument(info, 1), numbers = array_argument(info, 3);
    if (variables.TypedArrayType() != napi_float64_array || numbers.TypedArrayType() != napi_float64_array)
      throw_refusal(env, "ERR_DTYPE", "Float64Arrays of variables and numbers", "other kinds of arrays");
    auto job = std::make_unique<Job>();
    job->run.steps = static_cast<std::int64_t>(steps);
    job->run.threads = threads >= 1 && threads <= kMaxThreads ? static_cast<int>(threads) : 0;
    const auto count = static_cast<std::size_t>(steps);
    std::vector<char*> streams;
    const bool fits =
        variables.ElementLength() >= count * static_cast<std::size_t>(replay.program().variables) &&
        numbers.ElementLength() >= count * replay.number_outputs().size() &&
        find_arrays(inputs, replay.streams(), count, &streams) &&
        find_arrays(outputs, replay.array_outputs(), count, &job->run.arrays);
    if (!fits) throw_refusal(env, "ERR_SHAPE", "arrays for every step of the run", "shorter ones");
    job->run.streams.assign(streams.begin(), streams.end());
    job->run.variables = variables.As<Napi::Float64Array>().Data();
    job->run.numbers = numbers.As<Napi::Float64Array>().Data();
    TensorTable& table = environment(env).tensors;
    refuse_unless(env, replay_->bind(table));
    const auto keep = [&](const Napi::Object& array) { job->arrays.push_back(Napi::Persistent(array)); };
    keep(variables);
    keep(numbers);
    for (const auto& array : inputs) keep(array);
    for (const auto& array : outputs) keep(array);
    for (const Outer& tensor : tensors_) table.pin(tensor.handle, tensor.use);
    job_ = std::move(job);
  }

  // The memory of one typed array for each buffer; false where one is missing or too short for the steps.
  bool find_arrays(const std::vector<Napi::TypedArray>& given, const std::vector<int>& buffers,
                   std::size_t steps, std::vector<char*>* found) const {
    if (given.size() != buffers.size()) return false;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const plan::BufferSpec& spec = replay_->program().buffers[static_cast<std::size_t>(buffers[i])];
      if (!is_array_of(given[i].TypedArrayType(), spec.dtype)) return false;
      if (given[i].ElementLength() / static_cast<std::size_t>(spec.size) < steps) return false;
      void* data = nullptr;
      napi_get_typedarray_info(given[i].Env(), given[i], nullptr, nullptr, &data, nullptr, nullptr);
      found->push_back(static_cast<char*>(data));
    }
    return true;
  }

  template <typename Progress>
  void replay(Job* job, const Progress& progress) {
    try {
      job->status = replay_->run(&job->run, progress);
    } catch (const std::exception&) {  // the status says it already
    }
  }

  // runSync(steps, variables, streams, numbers, arrays, threads, report): all of it on this thread
  void run_sync(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    guarded(env, [&] { prepare(info); });
    replay(job_.get(), [] {});
    const Status status = std::move(job_->status);
    const double done = release_job(env);
    tell(env, info[6].As<Napi::Function>(), done, status);
  }

  // run(steps, variables, streams, numbers, arrays, threads, report): report(done, finished, error?) on this
  // thread, later
  void run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    guarded(env, [&] {
      prepare(info);
      try {
        start(env, info[6].As<Napi::Function>());
      } catch (...) {
        if (job_->report != nullptr) job_->report.Release();
        end_run(env);
        throw;
      }
    });
  }

  void start(Napi::Env env, const Napi::Function& report) {
    Job* job = job_.get();
    Ref();  // alive until the run is over, whoever holds the object
    job->holds_plan = true;
    environment(env).running_plans.push_back(this);
    job->report = Reporter::New(env, report, "receptive plan", 0, 1, this);
    // Runs before the environment takes its functions away, because it was added later. It stays when the run
    // is over: the driver may still be about to let go of `report`, for which Node 24 holds a lock while it
    // ends an environment and destroys this object, which waits for the driver.
    end_.add_anew(env);
    job->run.manners = manners_;
    job->run.manners.queues = true;
    try {
      driver_.start([this, job] { drive(job); }, !manners_.is_modest());
    } catch (const std::system_error&) {
      throw_refusal(env, "ERR_OUT_OF_MEMORY", "a thread to run the plan on", "none from the system");
    }
  }

  // On the driver thread.
  void drive(Job* job);

  void end_driver() {
    const Hurry hurry;
    if (job_ != nullptr) job_->run.stop = true;
    driver_.end();
  }

  // On JavaScript's thread, after the last step: whatever a callback throws, the run is over before.
  void finish(Napi::Env env, const Napi::Function& report) {
    job_->copies.make();  // those that were asked for after the last step
    const StepCopies::Requests made = job_->copies.take_made(&environment(env).tensors);
    const Status status = std::move(job_->status);
    const double done = end_run(env);
    StepCopies::tell(made);
    tell(env, report, done, status);
  }

  // Undoes what `run` did, and says how many steps were done.
  double end_run(Napi::Env env) {
    const bool holds_plan = job_->holds_plan;
    const double done = release_job(env);
    std::vector<RunningPlan*>& running = environment(env).running_plans;
    running.erase(std::remove(running.begin(), running.end(), this), running.end());
    if (holds_plan) Unref();
    return done;
  }

  // Steps done
  double release_job(Napi::Env env) {
    const double done = static_cast<double>(job_->run.done);
    job_.reset();
    for (const Outer& tensor : tensors_) environment(env).tensors.unpin(tensor.handle, tensor.use);
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
    const double share = number_argument(info, 1);
    refuse_while_running(info.Env());
    // A thread that was made to run after others cannot be raised again: another takes its place.
    if (background != manners_.background) driver_.end();
    manners_.background = background;
    manners_.cpu_share = share > 0 && share < 1 ? share : 1;
  }

  bool writes(int handle) const override {
    return std::any_of(tensors_.begin(), tensors_.end(), [&](const Outer& tensor) {
      return tensor.handle == handle && tensor.use == TensorTable::Use::kWrite;
    });
  }

  StepCopies& copies() override { return job_->copies; }

  void stop(const Napi::CallbackInfo&) {
    if (job_ != nullptr) job_->run.stop = true;
  }

  void dispose(const Napi::CallbackInfo& info) {
    refuse_while_running(info.Env());
    driver_.end();
    replay_.reset();
  }

  // operations(): the names of the instructions, in the order in which they run
  Napi::Value operations(const Napi::CallbackInfo& info) {
    return operation_names(info.Env(), live(info.Env()));
  }

  // profile(whether to time steps from now on): what is known of the step done last
  Napi::Value profile(const Napi::CallbackInfo& info) {
    refuse_while_running(info.Env());
    const Napi::Value rows = profile_rows(info.Env(), live(info.Env()));
    replay_->set_timed(info[0].ToBoolean());
    return rows;
  }

  Napi::Value describe(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    const plan::Replay& replay = live(env);
    Napi::Object result = Napi::Object::New(env);
    const auto set = [&](const char* name, double value) { result.Set(name, Napi::Number::New(env, value)); };
    set("instructions", static_cast<double>(replay.program().instructions.size()));
    set("buffers", static_cast<double>(replay.program().buffers.size()));
    const plan::PlannedStep& planned = replay.planned();
    set("peakBytes", static_cast<double>(planned.memory.arena_bytes));
    set("unsharedBytes", static_cast<double>(planned.memory.unshared_bytes));
    set("inPlace", planned.memory.in_place);
    set("recomputed", planned.recomputed);
    Napi::Object fusions = Napi::Object::New(env);
    for (const auto& fusion : planned.fusions)
      if (fusion.second > 0) fusions.Set(fusion.first, Napi::Number::New(env, fusion.second));
    result.Set("fusions", fusions);
    result.Set("algorithms", convolution_lines(env, *replay_));
    return result;
  }

  std::unique_ptr<plan::Replay> replay_;
  std::unique_ptr<Job> job_;
  Manners manners_;
  plan::Driver driver_;
  CleanupHook end_{[](void* plan) { static_cast<Plan*>(plan)->end_driver(); }, this};
  std::vector<Outer> tensors_;  // by use: one may come more than once
};

void Plan::drive(Job* job) {
  const Reporter report = job->report;  // outlives the job, which `finish` ends
  auto last = std::chrono::steady_clock::now();
  replay(job, [&] {
    if (job->copies.due()) {
      job->copies.make();
      report.NonBlockingCall(&job->copied);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - last < kProgressInterval || job->reported.exchange(true)) return;
    last = now;
    report.NonBlockingCall(&job->progress);
  });
  report.NonBlockingCall(&job->end);
  report.Release();
}

void Plan::hear(Napi::Env env, Napi::Function report, Plan* plan, News* news) {
  if (static_cast<napi_env>(env) == nullptr) return;  // it is ending
  Job* job = plan->job_.get();
  switch (*news) {
    case News::kProgress:
      job->reported = false;
      report.Call(
          {Napi::Number::New(env, static_cast<double>(job->run.done)), Napi::Boolean::New(env, false)});
      return;
    case News::kCopies:
      return StepCopies::tell(job->copies.take_made(&environment(env).tensors));
    case News::kEnd:
      return plan->finish(env, report);
  }
}

}  // namespace

void export_plan(Napi::Env env, Napi::Object exports) { Plan::define(env, exports); }

}  // namespace receptive::binding
