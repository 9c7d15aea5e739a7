// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { withoutRepeats } from '../../lib/cli/profile-rows.js';
import type { ProfileRow } from '../../lib/train/profile.js';

const row = (layer: string, op: string, us: number, more: Partial<ProfileRow> = {}): ProfileRow => ({
  ...{ layer, op, pass: 'forward', us, flops: 0, bytes: 1000, gflops: 0, gbPerSecond: 1 / us },
  ...{ bound: 'memory', share: 0.5, algorithm: '', hint: '' },
  ...more,
});

test('neighbours of one operation and layer are one row, with their sums', () => {
  const [first, ...rest] = withoutRepeats([
    row('optimizer', 'require_finite', 1, { share: 0.1, hint: 'short: overhead of the call' }),
    row('optimizer', 'require_finite', 3, { share: 0.9, hint: 'bandwidth bound' }),
    row('optimizer', 'require_finite', 1, { share: 0.3 }),
  ]);
  expect(rest).toEqual([]);
  expect(first).toMatchObject({ op: 'require_finite x3', us: 5, bytes: 3000, hint: 'bandwidth bound' });
  expect(first.share).toBeCloseTo((0.1 + 2.7 + 0.3) / 5);
  expect(first.gbPerSecond).toBeCloseTo(0.6);
});

test('what differs in layer, operation or pass, or is apart, keeps its row', () => {
  const rows = [
    row('a', 'relu_forward', 1),
    row('b', 'relu_forward', 1),
    row('b', 'increment', 1),
    row('b', 'relu_forward', 1),
    row('b', 'relu_forward', 1, { pass: 'backward' }),
  ];
  expect(withoutRepeats(rows).map(({ op }) => op)).toEqual(rows.map(({ op }) => op));
  expect(withoutRepeats([])).toEqual([]);
});
