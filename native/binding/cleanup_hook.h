// SPDX-License-Identifier: Apache-2.0
// A function to be called when the environment ends. Those added last are called first.
#pragma once

#include <node_api.h>

namespace receptive::binding {

class CleanupHook {
 public:
  CleanupHook(void (*function)(void*), void* data) : function_(function), data_(data) {}
  CleanupHook(const CleanupHook&) = delete;
  CleanupHook& operator=(const CleanupHook&) = delete;
  ~CleanupHook() { remove(); }

  // From now on the one that was added last.
  void add_anew(napi_env env) {
    remove();
    env_ = env;
    napi_add_env_cleanup_hook(env, call, this);
  }

 private:
  static void call(void* hook) {
    auto* const self = static_cast<CleanupHook*>(hook);
    self->env_ = nullptr;
    self->function_(self->data_);
  }

  void remove() {
    if (env_ != nullptr) napi_remove_env_cleanup_hook(env_, call, this);
    env_ = nullptr;
  }

  void (*const function_)(void*);
  void* const data_;
  napi_env env_ = nullptr;  // where it is added
};

}  // namespace receptive::binding
