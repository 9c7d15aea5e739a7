// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { datasetNames, loadDataset } from '../../lib/data/registry.js';

const NAMES = ['glyphs', 'xo', 'mnist', 'fashion-mnist', 'cifar10', 'cifar100', 'folder', 'packed'];

describe('loadDataset', () => {
  it('knows its names', () => {
    expect(datasetNames).toEqual(NAMES);
  });

  it('draws the embedded sets', async () => {
    const { train, test } = await loadDataset('xo', { trainSize: 12, testSize: 7, seed: 3 });
    expect([train.name, train.length, test.length]).toEqual(['xo', 12, 7]);
    expect((await loadDataset('glyphs', { trainSize: 5, testSize: 5 })).train.classNames).toHaveLength(10);
  });

  it.each(NAMES.slice(2))('passes a folder on to %s', async (name) => {
    const running = loadDataset(name, { dataDir: '/nowhere/at/all' });
    await expect(running).rejects.toMatchObject({ code: 'ERR_FILE' });
  });

  it.each(NAMES.slice(2))('refuses a dataDir of %s that is none', async (name) => {
    for (const dataDir of [5, '']) {
      const running = loadDataset(name, { dataDir: dataDir as string });
      await expect(running).rejects.toMatchObject({ name: 'ReceptiveError', code: 'ERR_ARGUMENT' });
    }
  });

  it.each([
    ['minst', 'did you mean mnist?'],
    ['Glyphs', 'did you mean glyphs?'],
    ['glyph', 'did you mean glyphs?'],
    ['xp', 'did you mean xo?'],
    ['cifar-10', 'did you mean cifar10?'],
    ['fashionmnist', 'did you mean fashion-mnist?'],
    ['imagenet', undefined],
    ['', undefined],
    ['toString', undefined],
  ])('refuses %j with the names it knows', async (name, hint) => {
    await expect(loadDataset(name)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      expected: `one of ${NAMES.join(', ')}`,
      received: JSON.stringify(name),
      hint,
    });
  });

  it('keeps the event loop turning while it draws, and stops when told to', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await loadDataset('glyphs', { trainSize: 2_000, testSize: 1 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
    const control = new AbortController();
    setTimeout(() => control.abort(), 5);
    const running = loadDataset('glyphs', { trainSize: 50_000, signal: control.signal });
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
