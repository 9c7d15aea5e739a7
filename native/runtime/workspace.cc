// SPDX-License-Identifier: Apache-2.0
#include "runtime/workspace.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/aligned_buffer.h"

namespace receptive {
namespace {

constexpr int kSlots = static_cast<int>(Slot::kCount), kFirstTaskSlot = static_cast<int>(Slot::kTaskPanel);

std::atomic<std::size_t> total_bytes{0};
// The most that any thread asked for, by slot
std::atomic<std::size_t> most_asked[kSlots];

void raise(std::atomic<std::size_t>* value, std::size_t to) {
  std::size_t now = value->load(std::memory_order_relaxed);
  while (now < to && !value->compare_exchange_weak(now, to, std::memory_order_relaxed)) {
  }
}

}  // namespace

struct Scratch {
  AlignedBuffer slots[kSlots];
  // What another thread laid ready, to be taken where a slot is too small
  std::atomic<AlignedBuffer*> offers[kSlots] = {};
  // The larger of a slot and what is laid ready for it
  std::atomic<std::size_t> assured[kSlots] = {};

  ~Scratch() {
    for (const AlignedBuffer& slot : slots) total_bytes -= slot.bytes();
  }

  void* reserve(int slot, std::size_t bytes) {
    AlignedBuffer& buffer = slots[slot];
    if (buffer.bytes() >= bytes) return buffer.data();
    raise(&most_asked[slot], bytes);
    const std::unique_ptr<AlignedBuffer> offer(offers[slot].exchange(nullptr, std::memory_order_acquire));
    const std::size_t before = buffer.bytes() + (offer == nullptr ? 0 : offer->bytes());
    if (offer != nullptr && offer->bytes() > buffer.bytes()) buffer.swap(offer.get());
    void* data = buffer.reserve(bytes);
    total_bytes += buffer.bytes() - before;
    raise(&assured[slot], buffer.bytes());
    return data;
  }

  // On another thread than the owner's
  void offer(int slot, std::size_t bytes) {
    if (assured[slot].load(std::memory_order_relaxed) >= bytes) return;
    auto fresh = std::make_unique<AlignedBuffer>();
    if (fresh->reserve(bytes) == nullptr) throw std::bad_alloc();
    total_bytes += bytes;
    raise(&assured[slot], bytes);
    const std::unique_ptr<AlignedBuffer> old(
        offers[slot].exchange(fresh.release(), std::memory_order_acq_rel));
    if (old != nullptr) total_bytes -= old->bytes();
  }
};

namespace {

thread_local Scratch own;
thread_local Scratch* given = nullptr;
Scratch& scratch() { return given == nullptr ? own : *given; }

struct Workers {
  std::mutex mutex;
  std::vector<Scratch*> scratch;
};

Workers& workers() {  // never destroyed, as the pool's workers never end
  static Workers* const instance = new Workers;
  return *instance;
}

}  // namespace

Scratch* scratch_for_worker() {
  std::lock_guard<std::mutex> lock(workers().mutex);
  workers().scratch.push_back(new Scratch);
  return workers().scratch.back();
}

void use_scratch(Scratch* scratch) { given = scratch; }

void even_out_scratch() {
  std::lock_guard<std::mutex> lock(workers().mutex);
  for (int slot = kFirstTaskSlot; slot < kSlots; ++slot) {
    const std::size_t bytes = most_asked[slot].load(std::memory_order_relaxed);
    if (bytes == 0) continue;
    workspace_bytes(static_cast<Slot>(slot), bytes);
    for (Scratch* worker : workers().scratch) worker->offer(slot, bytes);
  }
}

void* workspace_bytes(Slot slot, std::size_t bytes) {
  void* data = scratch().reserve(static_cast<int>(slot), rounded_up(std::max(bytes, kAlignment)));
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

const float* zero_row(std::int64_t count) {
  const AlignedBuffer& buffer = scratch().slots[static_cast<int>(Slot::kZeroRow)];
  const std::size_t before = buffer.bytes();
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
  void* data = workspace_bytes(Slot::kZeroRow, bytes);
  if (buffer.bytes() != before) std::memset(data, 0, buffer.bytes());
  return static_cast<const float*>(data);
}

std::size_t workspace_total_bytes() { return total_bytes; }

}  // namespace receptive
