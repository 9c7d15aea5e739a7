// SPDX-License-Identifier: Apache-2.0
// The tables that exist, one per folder of kernels/. Each folder compiles with its own flags into its own
// library.
#pragma once

#include "kernels/kernel_table.h"

namespace receptive {

extern const KernelTable kScalarTable;
extern const KernelTable kAvx2Table;
extern const KernelTable kAvx512Table;

}  // namespace receptive
