// SPDX-License-Identifier: Apache-2.0
// A whole vector or the first lanes of one, under one interface, so that a body is written once for a run of
// elements and its tail. Include after a vec.h.
#pragma once

namespace receptive {
namespace {

struct WholeVector {
  inline Vec load(const float* from) const { return receptive::load(from); }
  inline void store(float* to, Vec value) const { receptive::store(to, value); }
  template <typename Integer>
  inline Vec load_integers(const Integer* from) const {
    return receptive::load_integers(from);
  }
  template <typename Integer>
  inline void store_integers(Integer* to, Vec value) const {
    receptive::store_integers(to, value);
  }
};

struct PartialVector {
  int count;
  Mask lanes;

  explicit PartialVector(std::int64_t lane_count)
      : count(static_cast<int>(lane_count)), lanes(first_lanes(static_cast<int>(lane_count))) {}
  inline Vec load(const float* from) const { return load_partial(from, lanes); }
  inline void store(float* to, Vec value) const { store_partial(to, lanes, value); }
  template <typename Integer>
  inline Vec load_integers(const Integer* from) const {
    return load_integers_partial(from, count);
  }
  template <typename Integer>
  inline void store_integers(Integer* to, Vec value) const {
    store_integers_partial(to, count, value);
  }
};

}  // namespace
}  // namespace receptive
