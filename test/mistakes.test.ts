// SPDX-License-Identifier: Apache-2.0
// Plain mistakes in calls of what is public end with an error that has a code.
import { describe, expect, it } from 'vitest';
import * as receptive from '../lib/index.js';

type Call = (...args: unknown[]) => unknown;
const { metrics, nn, optim, ...top } = receptive;
const pool: Record<string, unknown> = { ...top, ...metrics, ...optim, ...nn, ...nn.init };
// What draws tens of thousands of pictures; and a module, which takes nothing and a seed, which takes numbers.
const LEFT_OUT = ['Module', 'glyphs', 'xo', 'mnist', 'manualSeed'];
const functions = Object.entries(pool).filter(
  ([name, f]) => typeof f === 'function' && !LEFT_OUT.includes(name),
);

async function mistake(f: Call, args: readonly unknown[]): Promise<void> {
  try {
    const isClass = Function.prototype.toString.call(f).startsWith('class');
    await (isClass ? Reflect.construct(f, args) : f(...args));
  } catch (error) {
    expect(error).toMatchObject({ name: 'ReceptiveError', code: expect.stringMatching(/^ERR_/) });
  }
}

it.each(functions)('%s called with nothing, null or a wrong type', async (_, f) => {
  for (const args of [[], [null], ['abc'], [42], [{}], [[]], [null, null]]) await mistake(f as Call, args);
});

describe('arguments', () => {
  const none = null as never;
  const wrong: [string, string, () => unknown][] = [
    ['Tensor', 'ERR_ARGUMENT', () => new receptive.Tensor(none, [2], false)],
    ['Tensor', 'ERR_ARGUMENT', () => new receptive.Tensor({ dtype: 'float32' } as never, [2], false)],
    ['ReceptiveError', 'ERR_ARGUMENT', () => new receptive.ReceptiveError('ERR_SHAPE', none)],
    ['ReceptiveError', 'ERR_ARGUMENT', () => new receptive.ReceptiveError(none, { op: 'add' } as never)],
    ['Optimizer', 'ERR_ARGUMENT', () => Reflect.construct(optim.Optimizer, [[]])],
    ['Buffer', 'ERR_ARGUMENT', () => new nn.Buffer([2], none)],
    ['Buffer', 'ERR_ARGUMENT', () => new nn.Buffer([2], { value: '1' as never })],
    ['Buffer', 'ERR_DTYPE', () => new nn.Buffer([2], { dtype: 'float16' as never })],
    ['Buffer', 'ERR_SHAPE', () => new nn.Buffer([-2])],
    ...[
      null,
      1,
      {},
      { shape: [2] },
      { shape: [2], data: [1, 2] },
      { shape: ['2'], data: new Float32Array(2) },
    ].map((stored): [string, string, () => unknown] => [
      'encodeSafetensors',
      'ERR_ARGUMENT',
      () => receptive.encodeSafetensors(new Map([['a', stored as never]])),
    ]),
    ['encodeSafetensors', 'ERR_ARGUMENT', () => receptive.encodeSafetensors(new Map([[1, none]]) as never)],
    ...[Symbol('path'), null, {}, ''].flatMap((path): [string, string, () => unknown][] => [
      ['readMetadata', 'ERR_ARGUMENT', () => receptive.readMetadata(path as never)],
      ['loadWeights', 'ERR_ARGUMENT', () => receptive.loadWeights(new nn.Linear(1, 1), path as never)],
    ]),
  ];
  it.each(wrong)('of %s that are none give %s', async (op, code, call) => {
    const { tensors } = receptive.memory();
    await expect((async () => call())()).rejects.toMatchObject({ name: 'ReceptiveError', code, op });
    if (op === 'Buffer') expect(receptive.memory().tensors).toBe(tensors);
  });
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
