// SPDX-License-Identifier: Apache-2.0
// How native code reports a refusal: a code and the words for the one error form of lib/errors.ts. Never an
// exception.
#pragma once

#include <string>
#include <utility>

namespace receptive {

struct Status {
  const char* code = nullptr;  // nullptr is success; else a code of lib/errors.ts, such as "ERR_DATA"
  std::string expected;
  std::string received;

  bool ok() const { return code == nullptr; }
  static Status success() { return {}; }
  static Status refuse(const char* code, std::string expected, std::string received) {
    return {code, std::move(expected), std::move(received)};
  }
};

}  // namespace receptive
