// SPDX-License-Identifier: Apache-2.0
// Memory of tensors. Freed blocks are kept by size class and handed out again, because a training step asks
// for the same sizes over and over, and fresh pages from the kernel cost more than most kernels do.
#pragma once

#include <cstddef>

namespace receptive {

struct Block {
  void* data = nullptr;
  std::size_t bytes = 0;  // the size class, at least what was asked for
};

Block block_allocate(std::size_t bytes);  // data is nullptr when there is no memory
void block_free(Block block);
std::size_t block_cached_bytes();
void block_trim();  // gives every cached block back to the system

}  // namespace receptive
