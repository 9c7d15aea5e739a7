// SPDX-License-Identifier: Apache-2.0
#include "kernels/select.h"

#include <cstdlib>

#include "kernels/tables.h"
#include "runtime/cpu_features.h"

namespace receptive {
namespace {

struct Candidate {
  const KernelTable* table;
  bool supported;
};

// Best first. The first that is supported wins.
std::vector<Candidate> candidates() {
  return {
#if defined(__x86_64__)
    {&kAvx512Table, cpu_has_avx512()}, {&kAvx2Table, cpu_has_avx2()},
#endif
        {&kScalarTable, true},
  };
}

const KernelTable* find(const std::string& name) {
  for (const Candidate& candidate : candidates()) {
    if (candidate.supported && name == candidate.table->isa) return candidate.table;
  }
  return nullptr;
}

const KernelTable* best() {
  for (const Candidate& candidate : candidates()) {
    if (candidate.supported) return candidate.table;
  }
  return &kScalarTable;
}

const KernelTable* initial() {
  const char* wish = std::getenv("RECEPTIVE_ISA");
  const KernelTable* wished = wish == nullptr ? nullptr : find(wish);
  return wished == nullptr ? best() : wished;
}

const KernelTable*& current() {
  static const KernelTable* table = initial();
  return table;
}

}  // namespace

const KernelTable& kernels() { return *current(); }

std::vector<std::string> supported_isas() {
  std::vector<std::string> names;
  for (const Candidate& candidate : candidates()) {
    if (candidate.supported) names.push_back(candidate.table->isa);
  }
  return names;
}

bool select_isa(const std::string& name) {
  const KernelTable* table = find(name);
  if (table != nullptr) current() = table;
  return table != nullptr;
}

std::string refused_isa() {
  const char* wish = std::getenv("RECEPTIVE_ISA");
  return wish == nullptr || *wish == '\0' || find(wish) != nullptr ? "" : wish;
}

}  // namespace receptive
