// SPDX-License-Identifier: Apache-2.0
#include "runtime/cpu_features.h"

namespace receptive {

#if defined(__x86_64__)
// The builtins also ask the operating system (XGETBV) whether it saves the wide registers.
bool cpu_has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool cpu_has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && cpu_has_avx2();
}
#else
bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }
#endif

}  // namespace receptive
