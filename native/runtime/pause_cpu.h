// SPDX-License-Identifier: Apache-2.0
// What a thread does between two looks at a word that another one will write.
#pragma once

namespace receptive {

inline void pause_cpu() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace receptive
