// SPDX-License-Identifier: Apache-2.0
// Packed data sets that stay in their files: parts of them, memory, and files that change.
import { appendFile, mkdtemp, rename, rm, truncate, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Dataset } from '../../lib/data/dataset.js';
import { subset, take } from '../../lib/data/dataset.js';
import { DataLoader } from '../../lib/data/loader.js';
import { readPacked } from '../../lib/data/packed.js';
import { openPacked, PackedDataset } from '../../lib/data/packed-dataset.js';
import { loadDataset } from '../../lib/data/registry.js';
import { balanceClasses, classCounts, stratifiedSplit } from '../../lib/data/select.js';
import { fit, manualSeed, nn, weightsSha256 } from '../../lib/index.js';
import { writePackedFile } from './packed-file.js';

let folder: string;
let small: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-on-disk-'));
  small = join(folder, 'small.pack');
  await writePackedFile(small, { part: 'all', length: 40 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const linear = (inputs: number, classes: number): nn.Module => {
  manualSeed(3);
  return new nn.Sequential(new nn.Flatten(), new nn.Linear(inputs, classes));
};

it('a file larger than a budget of memory is trained within it, to the same bits', async () => {
  const file = join(folder, 'large.pack');
  const imageShape = [32, 32, 3] as const;
  const bytes = await writePackedFile(file, { length: 50_000, imageShape, classes: 10 });
  const budget = bytes / 3;
  const model = linear(3072, 10);
  const options = { batchSize: 256, lr: 0.001, seed: 2 };
  {
    await using onDisk = await openPacked(file, 'train');
    const before = process.memoryUsage.rss();
    let most = 0;
    const onProgress = () => {
      most = Math.max(most, process.memoryUsage.rss() - before);
    };
    await fit(model, onDisk, { ...options, onProgress });
    onProgress();
    expect(bytes).toBeGreaterThan(150e6);
    expect(most).toBeLessThan(budget);
  }
  const other = linear(3072, 10);
  await fit(other, (await readPacked(file)).get('train') as Dataset, options);
  expect(weightsSha256(model)).toBe(weightsSha256(other));
  for (const used of [model, other]) used.dispose();
});

it('parts of a set stay in its file, and are those of the set in memory', async () => {
  const inMemory = (await readPacked(small)).get('all') as Dataset;
  await using onDisk = await openPacked(small, 'all');
  const indices = [3, 1, 39, 3];
  const pairs: [Dataset, PackedDataset][] = [
    [subset(inMemory, indices), subset(onDisk, indices)],
    [take(inMemory, 7), take(onDisk, 7)],
    [subset(take(inMemory, 9), [8, 0]), subset(take(onDisk, 9), [8, 0])],
    [balanceClasses(subset(inMemory, [0, 1, 3, 5])), balanceClasses(subset(onDisk, [0, 1, 3, 5]))],
  ];
  stratifiedSplit(inMemory, { fraction: 0.3 }).forEach((part, i) => {
    pairs.push([part, stratifiedSplit(onDisk, { fraction: 0.3 })[i]]);
  });
  for (const [expected, found] of pairs) {
    expect(found).toBeInstanceOf(PackedDataset);
    expect([...found.labels]).toEqual([...expected.labels]);
    expect(classCounts(found)).toEqual(classCounts(expected));
    const augment = [{ kind: 'flip' }, { kind: 'crop', padding: 1 }] as const;
    const options = { batchSize: 3, shuffle: true, seed: 5, augment };
    using one = new DataLoader(expected, options);
    using two = new DataLoader(found, options);
    const others = [...two];
    for (const [i, batch] of [...one].entries()) {
      expect([...others[i].images.data()]).toEqual([...batch.images.data()]);
      expect([...others[i].labels.data()]).toEqual([...batch.labels.data()]);
      for (const used of [batch, others[i]]) used.dispose();
    }
    found.labels.forEach((_, i) => {
      expect([...found.imageAt(i)]).toEqual([...expected.images.subarray(16 * i, 16 * (i + 1))]);
    });
  }
  expect(() => subset(onDisk, [40])).toThrow(/from 0 to 39/);
  const part = take(onDisk, 2);
  await part.close();
  expect(() => onDisk.imageAt(0)).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
});

it('loadDataset leaves images of packed files where they are when told to', async () => {
  const [inMemory, onDisk] = [
    await loadDataset(`packed:${small}`, { trainSize: 20 }),
    await loadDataset(`packed:${small}`, { trainSize: 20, onDisk: true }),
  ];
  for (const part of ['train', 'test'] as const) {
    expect(onDisk[part]).toBeInstanceOf(PackedDataset);
    expect([...onDisk[part].labels]).toEqual([...inMemory[part].labels]);
    await (onDisk[part] as PackedDataset).close();
  }
  const test = await loadDataset(`packed:${small}`, { split: 'test', onDisk: true });
  expect([...test.labels]).toEqual([...inMemory.test.labels]);
  await (test as PackedDataset).close();
  const drawn = await loadDataset('glyphs', { trainSize: 10, testSize: 2, onDisk: true });
  expect('images' in drawn.train).toBe(true);
  await expect(loadDataset('glyphs', { onDisk: 1 as never })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});

const changes: [how: string, change: (path: string) => Promise<void>][] = [
  ['cut', (path) => truncate(path, 4096 + 16 * 20)],
  ['written to', (path) => appendFile(path, 'x')],
  ['written to without another size', (path) => utimes(path, new Date(), new Date(Date.now() + 5))],
];
it.each(changes)('a file that is %s while it is trained on is told by its name', async (_, change) => {
  for (const capture of [true, false]) {
    const path = join(folder, 'changing.pack');
    await writePackedFile(path, { length: 40 });
    const model = linear(16, 2);
    await using onDisk = await openPacked(path, 'train');
    const onEpoch = ({ epoch }: { epoch: number }) => (epoch === 2 ? change(path) : undefined);
    await expect(fit(model, onDisk, { epochs: 9, batchSize: 8, capture, onEpoch })).rejects.toMatchObject({
      code: 'ERR_FILE',
      message: expect.stringContaining(path),
    });
    expect(() => onDisk.imageAt(39)).toThrow(expect.objectContaining({ code: 'ERR_FILE' }));
    model.dispose();
  }
});

it('a file that is replaced by another is read on as it was', async () => {
  const path = join(folder, 'replaced.pack');
  await writePackedFile(path, { length: 40 });
  await writePackedFile(`${path}.new`, { length: 8 });
  await using onDisk = await openPacked(path, 'train');
  await rename(`${path}.new`, path);
  expect((await fit(linear(16, 2), onDisk, { batchSize: 8 })).steps).toBe(5);
});
