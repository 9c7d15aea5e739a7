// SPDX-License-Identifier: Apache-2.0
// Trainings on a packed file whose images stay on disk.
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Dataset, subset } from '../../lib/data/dataset.js';
import { DataLoader } from '../../lib/data/loader.js';
import { packImages } from '../../lib/data/pack.js';
import { readPacked } from '../../lib/data/packed.js';
import { openPacked } from '../../lib/data/packed-dataset.js';
import { concatDatasets } from '../../lib/data/select.js';
import { weightsSha256 } from '../../lib/io/weights.js';
import { createModel } from '../../lib/models/registry.js';
import { nativeInfo, setNumThreads } from '../../lib/native/bindings.js';
import { Conv2d } from '../../lib/nn/conv2d.js';
import { Flatten } from '../../lib/nn/flatten.js';
import { Linear } from '../../lib/nn/linear.js';
import { Sequential } from '../../lib/nn/sequential.js';
import { search } from '../../lib/search/search.js';
import { manualSeed } from '../../lib/tensor/random.js';
import { memory } from '../../lib/tensor/scope.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { type FitOptions, fit } from '../../lib/train/fit.js';
import { picture, writeTree } from '../data/pictures.js';

let folder: string;
let file: string;
const threads = nativeInfo().threads;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-packed-'));
  for (const [label, name] of ['a', 'b'].entries()) {
    for (let i = 0; i < 14; i++) {
      const colour = [200 * label, 9 * i, 100];
      await writeTree(folder, {
        [`in/train/${name}/${i}.png`]: await picture('png', { width: 24, height: 24, colour }),
      });
    }
  }
  file = join(folder, 'set.pack');
  await packImages(join(folder, 'in'), file, { channels: 1 });
});
afterAll(async () => {
  setNumThreads(threads);
  await rm(folder, { recursive: true, force: true });
});

const OPTIONS: FitOptions = {
  ...{ epochs: 2, batchSize: 8, seed: 3, optimizer: 'sgd', lr: 0.01 },
  augment: [{ kind: 'flip' }, { kind: 'crop', padding: 2 }],
};

function fresh() {
  manualSeed(1);
  return createModel('xo').model;
}

it('end with the weights of a training in memory, eager or captured, for 1, 2 and 3 threads', async () => {
  const inMemory = (await readPacked(file)).get('train') as Dataset;
  const model = fresh();
  await fit(model, inMemory, OPTIONS);
  const expected = weightsSha256(model);
  const evaluated = await evaluate(model, inMemory);
  await using onDisk = await openPacked(file, 'train');
  expect([onDisk.length, onDisk.classNames]).toEqual([28, ['a', 'b']]);
  const { confusion, loss } = await evaluate(model, onDisk);
  expect([confusion, loss]).toEqual([evaluated.confusion, evaluated.loss]);
  for (const count of [1, 2, 3]) {
    setNumThreads(count);
    for (const capture of [true, false]) {
      const other = fresh();
      const { captured } = await fit(other, onDisk, { ...OPTIONS, capture, validation: onDisk });
      expect([captured, weightsSha256(other)]).toEqual([capture, expected]);
      other.dispose();
    }
  }
  model.dispose();
});

it('go on from a checkpoint of a training in memory', async () => {
  const inMemory = (await readPacked(file)).get('train') as Dataset;
  const whole = fresh();
  await fit(whole, inMemory, OPTIONS);
  await using onDisk = await openPacked(file, 'train');
  expect([...onDisk.imageAt(3)]).toEqual([...inMemory.images.subarray(3 * 576, 4 * 576)]);
  const checkpoint = { dir: join(folder, 'kept'), everySteps: 3 };
  const first = fresh();
  const control = new AbortController();
  const onBatch = ({ step }: { step: number }) => step === 5 && control.abort();
  await fit(first, inMemory, { ...OPTIONS, checkpoint, onBatch, signal: control.signal });
  const second = fresh();
  const { resumedAt } = await fit(second, onDisk, { ...OPTIONS, checkpoint, resume: true });
  expect(resumedAt).toBeGreaterThan(0);
  expect(weightsSha256(second)).toBe(weightsSha256(whole));
});

it('are refused by a search, whose trials share images in memory', async () => {
  await using onDisk = await openPacked(file, 'train');
  const data = { train: onDisk, validation: onDisk } as unknown as { train: Dataset; validation: Dataset };
  await expect(search({ layers: [{ linear: { features: 8 } }] }, data)).rejects.toMatchObject({
    code: 'ERR_ARGUMENT',
    received: 'one on disk',
  });
});

it('are refused where images in memory are asked for', async () => {
  await using onDisk = await openPacked(file, 'train');
  const data = onDisk as unknown as Dataset;
  const join = () => concatDatasets([data, data]);
  expect(join).toThrow(expect.objectContaining({ received: 'one on disk' }));
});

it('keep the images out of memory', async () => {
  await using onDisk = await openPacked(file, 'train');
  const before = memory().bytes;
  using loader = new DataLoader(onDisk);
  expect(loader.length).toBe(1);
  expect(memory().bytes - before).toBeLessThan(24 * 24);
});

it('end with an error of their own where the file is cut or closed meanwhile', async () => {
  const copy = join(folder, 'copy.pack');
  await writeFile(copy, await readFile(file));
  const onDisk = await openPacked(copy, 'train');
  const model = fresh();
  const sha = weightsSha256(model);
  await truncate(copy, 5000);
  for (const capture of [true, false]) {
    await expect(fit(model, onDisk, { ...OPTIONS, capture })).rejects.toMatchObject({ code: 'ERR_FILE' });
  }
  await onDisk.close();
  await onDisk.close();
  await expect(fit(model, onDisk, OPTIONS)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  expect(weightsSha256(model)).toBe(sha);
  model.dispose();
});

it('are refused on damaged files, and on parts that are not there', async () => {
  const copy = join(folder, 'damaged.pack');
  const bytes = await readFile(file);
  bytes[4096 + 77] ^= 4;
  await writeFile(copy, bytes);
  await expect(openPacked(copy, 'train')).rejects.toMatchObject({ code: 'ERR_DATA' });
  const trusting = await openPacked(copy, 'train', { verify: false });
  await trusting.close();
  await expect(openPacked(file, 'test')).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  await expect(openPacked(join(folder, 'none'), 'train')).rejects.toMatchObject({ code: 'ERR_FILE' });
  await expect(openPacked(file, 3 as unknown as string)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
});

it('can be tried on a few batches, as those in memory', async () => {
  const inMemory = (await readPacked(file)).get('train') as Dataset;
  await using onDisk = await openPacked(file, 'train');
  for (const trial of [{ overfitBatches: 2 }, { fastDevRun: 2 }] satisfies FitOptions[]) {
    const [model, other] = [fresh(), fresh()];
    const { steps } = await fit(model, inMemory, { ...OPTIONS, ...trial });
    expect((await fit(other, onDisk, { ...OPTIONS, ...trial })).steps).toBe(steps);
    expect(weightsSha256(other)).toBe(weightsSha256(model));
    for (const used of [model, other]) used.dispose();
  }
});

it('gives the same features of frozen layers from disk and from memory', async () => {
  const train = await openPacked(file, 'train');
  const inMemory = (await readPacked(file)).get('train') as Dataset;
  const shas = new Set<string>();
  for (const set of [train.pick(Int32Array.of(3, 9, 20, 27)), subset(inMemory, [3, 9, 20, 27])]) {
    manualSeed(6);
    using net = new Sequential(
      new Conv2d(1, 2, { kernelSize: 3 }).freeze(),
      new Flatten(),
      new Linear(968, 2),
    );
    const { cachedFeatures } = await fit(net, set, { ...OPTIONS, augment: undefined });
    expect(cachedFeatures).toMatchObject({ layers: 2, bytes: 4 * 4 * 968 });
    shas.add(weightsSha256(net));
  }
  await train.close();
  expect(shas.size).toBe(1);
});
