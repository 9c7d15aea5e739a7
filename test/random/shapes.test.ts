// SPDX-License-Identifier: Apache-2.0
// Random shapes and options of every family of operations: float32 kernels of every instruction set against the reference,
// one thread against three bitwise, gradients against finite differences. `npm run test:random` draws thousands of them.
import { describe, expect, test } from 'vitest';
import { checkSampleGradients, checkThreads, checkValues } from '../helpers/op-table/checks.js';
import { convolutionFamilies, type Drawn } from '../helpers/op-table/families.js';
import { otherFamilies } from '../helpers/op-table/more-families.js';

const runs = Number(process.env.RECEPTIVE_RANDOM_RUNS ?? 50);
const seed = Number(process.env.RECEPTIVE_TEST_SEED ?? 1);

const families = [...convolutionFamilies, ...otherFamilies];

/** `runs` in parts by the families' shares, at least 1 each, which add up to it. */
function counts(): number[] {
  const whole = families.reduce((total, { share }) => total + share, 0);
  const ends = families.map((_, i) =>
    families.slice(0, i + 1).reduce((total, { share }) => total + share, 0),
  );
  const spare = Math.max(0, runs - families.length);
  const upTo = (i: number) => (i < 0 ? 0 : Math.round((spare * ends[i]) / whole));
  return families.map((_, i) => 1 + upTo(i) - upTo(i - 1));
}

function check({ sample, accuracy }: Drawn): void {
  checkValues(accuracy, sample);
  checkThreads(sample, 'float32', [1, 3]);
  checkSampleGradients(sample);
}

const cases = counts().map((numRuns, i) => ({ ...families[i], numRuns }));

describe(`${runs} random shapes, seed ${seed}`, () => {
  test.each(cases)('$name: $numRuns', ({ run, numRuns }) => run(check, { seed, numRuns }), 600_000);

  test('add up to what was asked for', () => {
    const total = cases.reduce((sum, { numRuns }) => sum + numRuns, 0);
    expect(total).toBe(Math.max(runs, families.length));
  });
});
