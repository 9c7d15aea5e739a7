// SPDX-License-Identifier: Apache-2.0
// Which kernel table this process uses: the best that the processor supports, chosen once; RECEPTIVE_ISA
// overrides.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernel_table.h"

namespace receptive {

const KernelTable& kernels();

// Names of the tables this processor can run, best first.
std::vector<std::string> supported_isas();

// Chooses a table by name for tests and comparisons; false if it is unknown or cannot run here. Not
// thread-safe: no op may be running.
bool select_isa(const std::string& name);

// A RECEPTIVE_ISA that was set but could not be followed, else an empty string. The loader reports it as an
// error.
std::string refused_isa();

}  // namespace receptive
