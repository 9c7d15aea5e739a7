// SPDX-License-Identifier: Apache-2.0
#include "runtime/block_cache.h"

#include <limits>
#include <mutex>
#include <new>
#include <unordered_map>
#include <vector>

#include "runtime/aligned_buffer.h"

namespace receptive {
namespace {

// More than this in free blocks goes back to the system: enough for the activations of a mid-sized network
// (vgg-cifar at batch 64 keeps 180 MB), little beside the memory of a server.
constexpr std::size_t kMaxCached = std::size_t{512} << 20;

// Eight classes to each power of two: at most 12.5 % of a block is unused. 0 for more than any machine has.
std::size_t size_class(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() / 4) return 0;
  if (bytes <= 512) return (bytes + kAlignment - 1) / kAlignment * kAlignment + (bytes == 0 ? kAlignment : 0);
  std::size_t power = 512;
  while (power * 2 < bytes) power *= 2;
  const std::size_t step = power / 8;
  return (bytes + step - 1) / step * step;
}

struct Cache {
  std::mutex mutex;
  std::unordered_map<std::size_t, std::vector<void*>> free_blocks;
  std::size_t bytes = 0;
};

// False where there is no memory for the cache's own books.
bool keep(Cache* blocks, Block block) {
  try {
    blocks->free_blocks[block.bytes].push_back(block.data);
  } catch (const std::bad_alloc&) {
    return false;
  }
  blocks->bytes += block.bytes;
  return true;
}

Cache& cache() {  // never destroyed: environments may outlive static destruction
  static Cache* const instance = new Cache;
  return *instance;
}

}  // namespace

Block block_allocate(std::size_t bytes) {
  const std::size_t size = size_class(bytes);
  if (size < bytes) return {};
  Cache& blocks = cache();
  {
    std::lock_guard<std::mutex> lock(blocks.mutex);
    auto found = blocks.free_blocks.find(size);
    if (found != blocks.free_blocks.end() && !found->second.empty()) {
      void* data = found->second.back();
      found->second.pop_back();
      blocks.bytes -= size;
      return {data, size};
    }
  }
  void* data = aligned_allocate(size);
  return {data, data == nullptr ? 0 : size};
}

void block_free(Block block) {
  if (block.data == nullptr) return;
  Cache& blocks = cache();
  {
    std::lock_guard<std::mutex> lock(blocks.mutex);
    if (blocks.bytes + block.bytes <= kMaxCached && keep(&blocks, block)) return;
  }
  aligned_free(block.data, block.bytes);
}

std::size_t block_cached_bytes() {
  std::lock_guard<std::mutex> lock(cache().mutex);
  return cache().bytes;
}

void block_trim() {
  std::lock_guard<std::mutex> lock(cache().mutex);
  for (auto& entry : cache().free_blocks) {
    for (void* data : entry.second) aligned_free(data, entry.first);
    entry.second.clear();
  }
  cache().bytes = 0;
}

}  // namespace receptive
