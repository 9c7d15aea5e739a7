// SPDX-License-Identifier: Apache-2.0
// The table of `receptive summary`: every model fits into 100 columns, and keeps what matters in fewer.
import { describe, expect, it } from 'vitest';
import { tableOf } from '../../lib/cli/summary.js';
import { createModel, modelNames } from '../../lib/models/registry.js';
import { summarize } from '../../lib/nn/summary.js';
import { withoutMemory } from '../../lib/nn/without-memory.js';

const rowsOf = (name: string) =>
  withoutMemory(() => {
    const { model, inputShape } = createModel(name);
    return summarize(model, inputShape);
  });

describe('the table', () => {
  it.each(modelNames)('of %s fits into 100 columns', (name) => {
    const lines = tableOf(rowsOf(name), 100);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(lines[0]).toMatch(/^layer +type +shape +parameters +MACs +output +field +step +pad$/);
  });

  it('leaves columns out of a narrow terminal', () => {
    const lines = tableOf(rowsOf('vgg16'), 80);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(lines[0]).toMatch(/^layer +type +shape +parameters +MACs +field$/);
  });

  it('says with a dash what is not known, and a side of a field for each axis where they differ', () => {
    const row = {
      path: 'a',
      type: 'B',
      outputShape: [1, 2, 3, 4],
      parameters: 0,
      multiplyAdds: 0,
      outputBytes: 96,
    };
    const field = { size: [3, 5], stride: [2.5, 1], padding: [0, 0] } as const;
    const lines = tableOf(
      [
        { ...row, receptiveField: null },
        { ...row, receptiveField: field },
      ],
      100,
    );
    expect(lines[1]).toMatch(/^a +B +2x3x4 +96 B +- +- +-$/);
    expect(lines[2]).toMatch(/^a +B +2x3x4 +96 B +3x5 +2\.5x1 +0$/);
  });
});
