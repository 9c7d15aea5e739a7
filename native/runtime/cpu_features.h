// SPDX-License-Identifier: Apache-2.0
// What the processor can do, as far as kernels care.
#pragma once

namespace receptive {

bool cpu_has_avx2();    // AVX2 and FMA
bool cpu_has_avx512();  // AVX-512 F, BW, DQ, VL

}  // namespace receptive
