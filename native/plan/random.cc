// SPDX-License-Identifier: Apache-2.0
// Instructions that draw random numbers. `key` is four parameters: the low and high word of the seed,
// the stream and the step, unsigned 32-bit integers.
#include "ops/random.h"

#include "plan/opcodes.h"
#include "reference/random.h"

namespace receptive::plan {
namespace {

Status read_key(const Arguments& args, int first, RandomKey* key) {
  for (int i = first; i < first + 4; ++i) {
    const double value = args.number(i);
    if (!(value >= 0 && value < 0x1p32 && value == static_cast<double>(args.integer(i)))) {
      return Status::refuse("ERR_ARGUMENT",
                            "parameter " + std::to_string(i) + " to be an unsigned 32-bit integer",
                            std::to_string(value));
    }
  }
  *key = {static_cast<std::uint32_t>(args.integer(first)),
          static_cast<std::uint32_t>(args.integer(first + 1)),
          static_cast<std::uint32_t>(args.integer(first + 2)),
          static_cast<std::uint32_t>(args.integer(first + 3))};
  return Status::success();
}

// p and the place of the first number: parameters 0 and 5
Status read_dropout(const Arguments& args, RandomKey* key, double* p, std::int64_t* first) {
  RECEPTIVE_CHECK(read_key(args, 1, key));
  *p = args.number(0);
  if (!(*p >= 0 && *p <= 1))
    return Status::refuse("ERR_ARGUMENT", "a probability from 0 to 1", std::to_string(*p));
  const double place = args.number(5);
  if (!(place >= 0 && place < 0x1p53))
    return Status::refuse("ERR_ARGUMENT", "a place of at least 0", std::to_string(place));
  *first = args.integer(5);
  return Status::success();
}

}  // namespace

// (out; low, high, key...)
Status random_uniform(const Arguments& args) {
  RandomKey key;
  RECEPTIVE_CHECK(read_key(args, 2, &key));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), args.size(0)));
  if (is_double(args)) {
    reference::random_uniform(args.data<double>(0), args.size(0), key, args.number(0), args.number(1));
  } else {
    ops::random_uniform(args.data<float>(0), args.size(0), key, args.number(0), args.number(1));
  }
  return Status::success();
}

// (out; mean, standard deviation, key...)
Status random_normal(const Arguments& args) {
  RandomKey key;
  RECEPTIVE_CHECK(read_key(args, 2, &key));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), args.size(0)));
  if (is_double(args)) {
    ops::random_normal(args.data<double>(0), args.size(0), key, args.number(0), args.number(1));
  } else {
    ops::random_normal(args.data<float>(0), args.size(0), key, args.number(0), args.number(1));
  }
  return Status::success();
}

// (out int32; key...): a permutation of 0..size-1
Status random_permutation(const Arguments& args) {
  RandomKey key;
  RECEPTIVE_CHECK(read_key(args, 0, &key));
  RECEPTIVE_CHECK(args.require(0, Dtype::kInt32, args.size(0)));
  ops::random_permutation(args.data<std::int32_t>(0), args.size(0), key);
  return Status::success();
}

// (y, x; p, key..., first), and (dx, dy; ...) for the gradient. Element 0 gets number `first` of the key:
// where x is a part of a batch, its elements fare as they would in the whole.
Status dropout(const Arguments& args) {
  RandomKey key;
  double p;
  std::int64_t first;
  RECEPTIVE_CHECK(read_dropout(args, &key, &p, &first));
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), args.size(0)));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), args.size(0)));
  if (is_double(args)) {
    reference::dropout(args.data<double>(0), args.data<double>(1), args.size(0), key, p, first);
  } else {
    ops::dropout(args.data<float>(0), args.data<float>(1), args.size(0), key, p, first);
  }
  return Status::success();
}

// (y, x; p, key..., first, samples, repeats, groups), and (dx, dy; ...) for the gradient. Group j of sample i
// gets number first + i * groups + j of the key.
Status dropout_groups(const Arguments& args) {
  RandomKey key;
  double p;
  std::int64_t first;
  RECEPTIVE_CHECK(read_dropout(args, &key, &p, &first));
  RECEPTIVE_CHECK(args.require_sizes(6, 3, 1));
  if (args.number(6) * args.number(7) * args.number(8) > 0x1p53)
    return Status::refuse("ERR_SHAPE", "images that can be addressed", "more than 2^53 elements");
  const ops::DropoutGroups size = {args.integer(6), args.integer(7), args.integer(8)};
  RECEPTIVE_CHECK(args.require(0, float_dtype(args), size.samples * size.repeats * size.groups));
  RECEPTIVE_CHECK(args.require(1, float_dtype(args), size.samples * size.repeats * size.groups));
  if (is_double(args)) {
    reference::dropout_groups(args.data<double>(0), args.data<double>(1), size, key, p, first);
  } else {
    ops::dropout_groups(args.data<float>(0), args.data<float>(1), size, key, p, first);
  }
  return Status::success();
}

}  // namespace receptive::plan
