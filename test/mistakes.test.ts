// SPDX-License-Identifier: Apache-2.0
// Plain mistakes in calls of what is public end with an error that has a code.
import { describe, expect, it } from 'vitest';
import * as receptive from '../lib/index.js';

type Call = (...args: unknown[]) => unknown;
const { nn, optim, ...top } = receptive;
const pool: Record<string, unknown> = { ...top, ...optim, ...nn, ...nn.init };
// Base classes, whose constructors are for classes of this library; and what draws tens of thousands of pictures.
const LEFT_OUT = ['Tensor', 'ReceptiveError', 'Optimizer', 'Module', 'glyphs', 'xo', 'mnist', 'manualSeed'];
const functions = Object.entries(pool).filter(
  ([name, f]) => typeof f === 'function' && !LEFT_OUT.includes(name),
);

async function mistake(f: Call, args: readonly unknown[]): Promise<void> {
  try {
    const isClass = Function.prototype.toString.call(f).startsWith('class');
    await (isClass ? Reflect.construct(f, args) : f(...args));
  } catch (error) {
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
  }
}

it.each(functions)('%s called with nothing, null or a wrong type', async (_, f) => {
  for (const args of [[], [null], ['abc'], [42], [{}], [[]], [null, null]]) await mistake(f as Call, args);
});

describe('options', () => {
  const { train } = receptive.xo({ trainSize: 4, testSize: 1 });
  const { model } = receptive.createModel('xo');
  const wrong: [string, () => unknown][] = [
    ['evaluate', () => receptive.evaluate(model, train, { batch: 3 } as object)],
    ['evaluate', () => receptive.evaluate(model, train, { capture: 'no' } as object)],
    ['predict', () => receptive.predict(model, train.images, { imageSize: [24, 24, 1] } as object)],
    ['fit', () => receptive.fit(model, train, { shuffle: 'no' } as object)],
    ['fitMany', () => receptive.fitMany([], { parallel: 2 } as object)],
    ['createModel', () => receptive.createModel('xo', { class: 3 } as object)],
    ['xo', () => receptive.xo({ size: 3 } as object)],
    ['loadDataset', () => receptive.loadDataset('xo', { seeds: 3 } as object)],
    ['rand', () => receptive.rand([2], { low: 1, high: 0 })],
    ['randn', () => receptive.randn([2], { std: -1 })],
    ['tensor', () => receptive.tensor([300], [1], { dtype: 'uint8' })],
    ['subset', () => receptive.subset(train, [])],
  ];
  it.each(wrong)('of %s that are wrong are refused', async (_, call) => {
    await expect((async () => call())()).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('split: the test part alone is the same as with the other', async () => {
    const test = await receptive.loadDataset('xo', { split: 'test', testSize: 3 });
    expect(test.images).toEqual(receptive.xo({ trainSize: 9, testSize: 3 }).test.images);
  });
});
