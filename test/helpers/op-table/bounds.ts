// SPDX-License-Identifier: Apache-2.0
// How far results in single precision may be from the reference in double precision.
import type { TypedArray } from '../../../lib/native/bindings.js';
import { irregular } from '../operands.js';
import { type Passes, partsOf, runPasses, seedOf, type Variation } from './passes.js';
import type { Accuracy, Operand, Sample } from './row.js';

/** Half a unit in the last place of 1 in float32. */
const UNIT = 2 ** -24;
const SMALLEST_NORMAL = 2 ** -126; // below, kernels flush to zero

/** How far element `i` of part `part` may be off. */
export type Bound = (part: number, i: number) => number;

const floatsOf = (change: (value: number, i: number) => number) => ({
  values: (operand: Operand) => (operand.kind === 'float' ? operand.values.map(change) : operand.values),
  seed: (size: number) => seedOf(size).map(change),
});

const wide = (sample: Sample, variation: Variation) =>
  partsOf(runPasses(sample, 'float64', variation)).map(([, data]) => data);

/** 4 sqrt(K) UNIT sum |a||b|: the same passes over magnitudes, and over ones for the number of terms. */
function ofSums(sample: Sample): Bound {
  const magnitudes = wide(sample, floatsOf(Math.abs));
  const terms = wide(
    sample,
    floatsOf(() => 1),
  );
  return (part, i) => {
    const count = Math.max(1, Math.abs(terms[part][i]), sample.terms ?? 1);
    return 4 * Math.sqrt(count) * UNIT * Math.abs(magnitudes[part][i]) + SMALLEST_NORMAL;
  };
}

/** The result is exact; gradients are sums over the windows that an element won. */
function ofWinners(sample: Sample): Bound {
  const at = (change: (value: number) => number) =>
    wide(sample, { seed: (size) => seedOf(size).map(change) });
  const magnitudes = at(Math.abs);
  const windows = at(() => 1);
  return (part, i) => {
    if (part === 0) return 0;
    return 4 * Math.sqrt(windows[part][i]) * UNIT * magnitudes[part][i];
  };
}

function largest(data: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < data.length; i++) most = Math.max(most, Math.abs(data[i]));
  return most;
}

/** What roundings of all floats, up or down in three irregular patterns, do to the reference. */
function ofCondition(sample: Sample, expected: readonly TypedArray[]): Bound {
  const moved = [1, 2, 3].map((pattern) => {
    const signs = irregular(997, pattern);
    return wide(
      sample,
      floatsOf((value, i) => value * (1 + Math.sign(signs[i % 997]) * UNIT)),
    );
  });
  const bounds = expected.map((data, part) => {
    const most = Math.max(...moved.map((parts) => largest(parts[part].map((value, i) => value - data[i]))));
    return 16 * (most + UNIT * Math.max(largest(data), sample.cancelled ?? 0)) + SMALLEST_NORMAL;
  });
  return (part) => bounds[part];
}

/** The bound of a sample, whose reference is given. */
export function boundOf(accuracy: Accuracy, sample: Sample, reference: Passes): Bound {
  const expected = partsOf(reference).map(([, data]) => data);
  if (accuracy === 'exact') return () => 0;
  if (accuracy === 'sums') return ofSums(sample);
  if (accuracy === 'winners') return ofWinners(sample);
  if (accuracy === 'conditioned') return ofCondition(sample, expected);
  const x = sample.operands[0].values;
  const [y, dx] = expected;
  const dy = seedOf(y.length);
  return (part, i) =>
    part === 0 ? accuracy.forward(y[i], x[i]) : accuracy.backward(dx[i], dy[i], x[i], y[i]);
}

/** Throws where a result is further off than it may be. Whole numbers must be equal, exact ones the reference, rounded. */
export function expectWithin(actual: Passes, reference: Passes, bound: Bound, what: string): void {
  const expected = partsOf(reference);
  partsOf(actual).forEach(([name, data], part) => {
    const wanted = expected[part][1];
    if (data.length !== wanted.length)
      throw new Error(`${what}, ${name}: ${data.length} elements instead of ${wanted.length}`);
    const isSingle = data instanceof Float32Array;
    for (let i = 0; i < data.length; i++) {
      const nearest = isSingle ? Math.fround(wanted[i]) : wanted[i];
      if (data[i] === nearest) continue;
      const allowed = isSingle ? bound(part, i) : 0;
      if (Math.abs(data[i] - wanted[i]) <= allowed) continue; // false for NaN
      throw new Error(
        `${what}, ${name}: element ${i} is ${data[i]} instead of ${wanted[i]}, allowed ${allowed}`,
      );
    }
  });
}
