// SPDX-License-Identifier: Apache-2.0
// Which points of a space are tried.
import { describe, expect, it } from 'vitest';
import { keyOf, layersText } from '../../lib/search/candidate.js';
import { drawProposals, gridProposals } from '../../lib/search/proposals.js';
import { halvingRounds } from '../../lib/search/rounds.js';
import { readSpace } from '../../lib/search/space.js';
import { expectRefusal } from '../helpers/refusal.js';
import { refusedLater } from '../helpers/refused.js';
import { LENET5_SPACE, SMALL, TASK } from './small.js';

const read = (json: unknown) => readSpace('search', json);
const keys = async (space: unknown, trials: number, seed: number) =>
  (await drawProposals('search', read(space), TASK, trials, seed)).list.map(keyOf);

describe('random trials', () => {
  it('are named by the seed, all different, and the first of more are those of fewer', async () => {
    const trials = await keys(SMALL, 30, 7);
    expect(new Set(trials).size).toBe(30);
    expect(await keys(SMALL, 30, 7)).toEqual(trials);
    expect(await keys(SMALL, 12, 7)).toEqual(trials.slice(0, 12));
    expect(await keys(SMALL, 30, 8)).not.toEqual(trials);
  });

  it('lie in their ranges, evenly in the logarithm where that is asked', async () => {
    const { list } = await drawProposals('search', read(SMALL), TASK, 300, 1);
    const rates = list.map(({ training }) => training.lr as number);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.001);
    expect(Math.max(...rates)).toBeLessThanOrEqual(0.1);
    const low = rates.filter((rate) => rate < 0.01).length; // half of them: 150 with a deviation of 8.7
    expect(Math.abs(low - 150)).toBeLessThan(44);
    const sizes = list.map(({ values }) => values['conv1.size']);
    expect(Math.abs(sizes.filter((size) => size === 5).length - 150)).toBeLessThan(44);
  });

  it('have values for the choices that were met, and no others', async () => {
    const { list } = await drawProposals('search', read(SMALL), TASK, 60, 2);
    for (const { values, layers } of list) {
      const kinds = layers.map(({ kind }) => kind);
      expect('pool1.kind' in values).toBe(kinds.includes('pool'));
      expect(kinds.filter((kind) => kind === 'linear')).toHaveLength(values['linear1.repeat'] as number);
      expect('linear1.features' in values).toBe(values['linear1.repeat'] !== 0);
    }
  });

  it('end where a small space has no more', async () => {
    const space = { layers: [{ conv: { features: [2, 4], size: [3, 5] } }] };
    expect(await keys(space, 20, 1)).toHaveLength(4);
  });

  it('pass over networks that cannot be, and say why', async () => {
    const space = { layers: [{ pool: { size: [2, 30] } }, { conv: { features: [2, 3, 4], size: 3 } }] };
    const { list, skipped } = await drawProposals('search', read(space), TASK, 20, 1);
    expect(list).toHaveLength(3);
    expect(skipped).toEqual({ count: 3, reason: expect.stringMatching(/^maxPool2d: expected .*24/) });
    const limited = { ...space, limits: { parameters: 700 } };
    const few = await drawProposals('search', read(limited), TASK, 20, 1);
    expect(few.list.every(({ parameters }) => parameters <= 700)).toBe(true);
    expect(few.list.length).toBeLessThan(3);
  });

  it.each([
    ['all of which are impossible', [{ conv: { features: 2, size: [25, 27] } }], /25x25|27x27/],
    ['with feature maps behind a linear layer', [{ linear: { features: 4 } }, { pool: {} }], /maxPool2d/],
    ['too large for any memory', [{ linear: { features: 1e6 }, repeat: 90 }], /./],
  ])('refuse a space %s', async (_, layers, received) => {
    const limits = { parameters: 1e9 };
    const refusal = await refusedLater(drawProposals('search', read({ layers, limits }), TASK, 5, 1));
    expect(refusal).toMatchObject({ code: 'ERR_ARGUMENT', received: expect.stringMatching(received) });
  });

  it('begin with the baseline, and refuse one that cannot be', async () => {
    const baseline = { 'pool1.repeat': 1, 'pool1.kind': 'avg', lr: 0.05 };
    const { list } = await drawProposals('search', read({ ...SMALL, baseline }), TASK, 3, 1);
    expect(list.map(({ trial, isBaseline }) => [trial, isBaseline])).toEqual([
      [0, true],
      [1, false],
      [2, false],
    ]);
    expect(list[0].values).toEqual({
      ...baseline,
      'conv1.features': 2,
      'conv1.size': 3,
      'linear1.repeat': 0,
    });
    const idle = drawProposals('search', read({ ...SMALL, baseline: { 'pool1.kind': 'avg' } }), TASK, 3, 1);
    expect((await refusedLater(idle)).received).toMatch(/pool1\.kind, in a layer that it leaves out/);
    const space = { layers: [{ pool: { size: [30, 2] } }], baseline: {} };
    expect((await refusedLater(drawProposals('search', read(space), TASK, 3, 1))).received).toMatch(/30/);
  });
});

describe('a grid', () => {
  it('holds every point once, without values for what is not there', async () => {
    const { list } = await gridProposals('search', read(SMALL), TASK);
    // conv 4, pool absent or 2 kinds, linear absent or 2 sizes once or twice, 3 rates
    expect(list).toHaveLength(4 * 3 * 5 * 3);
    expect(new Set(list.map(keyOf)).size).toBe(list.length);
    expect(new Set(list.map(({ training }) => training.lr))).toEqual(new Set([0.001, 0.01, 0.1]));
  });

  it('holds blocks, alternatives and orders', async () => {
    const layers = [
      { block: [{ conv: { features: [2, 3], size: 3 } }, { pool: {} }], repeat: [1, 2] },
      { either: [[{ globalPool: {} }], [{ dropout: { p: 0.1 } }]] },
    ];
    const texts = (await gridProposals('search', read({ layers }), TASK)).list.map((one) =>
      layersText(one.layers),
    );
    expect(texts).toHaveLength(8);
    expect(texts).toContain(
      'conv 3 3x3 relu, max 2x2, conv 3 3x3 relu, max 2x2, dropout 0.1', // repetitions are alike
    );
    const ordered = [{ anyOrder: [{ pool: {} }, { conv: { features: 2, size: 3 } }] }];
    const both = (await gridProposals('search', read({ layers: ordered }), TASK)).list;
    expect(both.map((one) => layersText(one.layers))).toEqual([
      'max 2x2, conv 2 3x3 relu',
      'conv 2 3x3 relu, max 2x2',
    ]);
  });

  it('is refused where it is larger than asked', async () => {
    const refusal = await refusedLater(gridProposals('search', read(SMALL), TASK, 20));
    expect(refusal).toMatchObject({ code: 'ERR_ARGUMENT', expected: 'a grid of at most 20 points' });
  });
});

describe('momentum', () => {
  it('is chosen for the optimizers that have one', async () => {
    const training = { optimizer: ['sgd', 'adam'], momentum: [0.5, 0.9] };
    const { list } = await gridProposals('search', read({ layers: [{ globalPool: {} }], training }), TASK);
    expect(list.map((one) => one.training)).toEqual([
      { optimizer: 'sgd', momentum: 0.5 },
      { optimizer: 'sgd', momentum: 0.9 },
      { optimizer: 'adam' },
    ]);
  });
});

describe('halving', () => {
  it('trains a third three times as long, round by round', () => {
    expect(halvingRounds('search', 27, 9)).toEqual([
      { trials: 27, epochs: 1 },
      { trials: 9, epochs: 3 },
      { trials: 3, epochs: 9 },
    ]);
    expect(halvingRounds('search', 5, 100)).toEqual([
      { trials: 5, epochs: 33 },
      { trials: 1, epochs: 100 },
    ]);
    expectRefusal(() => halvingRounds('search', 2, 9), 'ERR_ARGUMENT', { expected: /3 trials and 3 epochs/ });
    expectRefusal(() => halvingRounds('search', 27, 2), 'ERR_ARGUMENT', { received: '27 and 2' });
  });
});

describe('the space in the docs', () => {
  it('holds the default LeNet-5 as its baseline', async () => {
    const task = { imageShape: [28, 28, 1], classes: 10 };
    const { list } = await drawProposals('search', read(LENET5_SPACE), task, 1, 1);
    expect(list[0]).toMatchObject({ isBaseline: true, parameters: 61_706 });
    expect(layersText(list[0].layers)).toBe(
      'conv 6 5x5 pad same relu, max 2x2, conv 16 5x5 relu, max 2x2, linear 120 relu, linear 84 relu',
    );
  });
});
