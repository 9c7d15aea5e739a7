// SPDX-License-Identifier: Apache-2.0
// Snapshots and served predictions: weights of one moment, whatever the model does meanwhile.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  evaluate,
  fit,
  glyphs,
  loadWeights,
  manualSeed,
  memory,
  nn,
  predict,
  saveWeights,
  serve,
  type Tensor,
  weightsSha256,
} from '../../lib/index.js';

const { train, test } = glyphs({ seed: 6, trainSize: 96, testSize: 24 });
const images = test.images.subarray(0, 12 * 784) as Uint8Array;
const ASK = { imageShape: [28, 28, 1], batchSize: 4 } as const;
const OPTIONS = { batchSize: 16, seed: 3, lr: 0.003 };

/** A private field, a closure over `this`, an array of layers: what a copy by properties would get wrong. */
class Odd extends nn.Module {
  readonly #head = new nn.Linear(4 * 49, 10, { flattenedFrom: [7, 7, 4] });
  readonly head = this.#head;
  readonly convs = [new nn.Conv2d(1, 4, { kernelSize: 3, padding: 1 }), new nn.BatchNorm2d(4)];
  readonly body = (x: Tensor) => this.convs.reduce((y, layer) => layer.call(y), x);
  readonly pool = new nn.MaxPool2d(4);
  readonly drop = new nn.Dropout(0.5);
  override forward(x: Tensor): Tensor {
    const { pool, drop } = this;
    return this.#head.call(new nn.Flatten().call(drop.call(pool.call(this.body(x)))));
  }
}

function odd(seed = 1): Odd {
  manualSeed(seed);
  return new Odd();
}

describe('snapshot', () => {
  it('holds the weights and statistics of its moment, and computes in evaluation mode', async () => {
    using model = odd();
    await fit(model, train, OPTIONS);
    model.train();
    const hash = weightsSha256(model);
    const { probabilities } = await predict(model, images, ASK);
    using snapshot = await model.snapshot();
    expect(weightsSha256(snapshot)).toBe(hash);
    expect(snapshot.training).toBe(false);
    await fit(model, train, { ...OPTIONS, epochs: 2 });
    expect(weightsSha256(model)).not.toBe(hash);
    expect(weightsSha256(snapshot)).toBe(hash);
    expect((await predict(snapshot, images, ASK)).probabilities).toEqual(probabilities);
    expect((await predict(model, images, ASK)).probabilities).not.toEqual(probabilities);
    expect((await evaluate(snapshot, test)).images).toBe(24);
    expect(model.modules().every(({ training }) => training)).toBe(true);
    using again = await snapshot.snapshot();
    expect(weightsSha256(again)).toBe(hash);
    expect(String(snapshot)).toContain('Snapshot of Odd');
  });

  it('has the names and layouts of its model in files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'receptive-snapshot-'));
    try {
      using model = odd();
      using snapshot = await model.snapshot();
      expect([...snapshot.stateDict().keys()]).toEqual([...model.stateDict().keys()]);
      expect(snapshot.namedParameters().map(([name]) => name)).toEqual(
        model.namedParameters().map(([name]) => name),
      );
      const path = join(folder, 'snapshot.safetensors');
      await saveWeights(snapshot, path);
      using copy = odd(2);
      await loadWeights(copy, path);
      expect(weightsSha256(copy)).toBe(weightsSha256(model));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('refuses to change, outlives its model, and frees what it owns', async () => {
    const before = memory().tensors;
    const model = odd();
    const snapshot = await model.snapshot();
    const refusal = { code: 'ERR_ARGUMENT' };
    expect(() => snapshot.train()).toThrow(expect.objectContaining(refusal));
    expect(() => snapshot.to()).toThrow(expect.objectContaining(refusal));
    expect(() => snapshot.loadStateDict()).toThrow(expect.objectContaining(refusal));
    await expect(fit(snapshot, train, OPTIONS)).rejects.toMatchObject(refusal);
    model.dispose();
    await expect(model.snapshot()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    expect((await predict(snapshot, images, ASK)).classes).toHaveLength(12);
    snapshot.dispose();
    await expect(predict(snapshot, images, ASK)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    expect(memory().tensors).toBe(before);
  });

  it('is never torn while the model learns', async () => {
    const { hashes, options } = await everyStep();
    using model = odd();
    const seen = new Set<string>();
    let taken = 0;
    let running = true;
    const training = fit(model, train, options).finally(() => {
      running = false;
    });
    while (running) {
      using snapshot = await model.snapshot();
      seen.add(weightsSha256(snapshot));
      taken += 1;
    }
    await training;
    expect(taken).toBeGreaterThan(10);
    expect(seen.size).toBeGreaterThan(3);
    for (const hash of seen) expect(hashes.has(hash)).toBe(true);
    expect(weightsSha256(model)).toBe([...hashes.keys()].at(-1));
  });
});

/** The weights before and after each step of a training, by hash, and what a model with them says. */
async function everyStep() {
  const options = { ...OPTIONS, epochs: 20 };
  using model = odd();
  const snapshots = [await model.snapshot()];
  const copies: Promise<unknown>[] = [];
  const onBatch = () => {
    copies.push(model.snapshot().then((snapshot) => snapshots.push(snapshot)));
  };
  await fit(model, train, { ...options, onBatch });
  await Promise.all(copies);
  const hashes = new Map<string, string>();
  for (const snapshot of snapshots) {
    const { probabilities } = await predict(snapshot, images, ASK);
    hashes.set(weightsSha256(snapshot), probabilities.join());
    snapshot.dispose();
  }
  expect(hashes.size).toBe(1 + 6 * 20);
  return { hashes, options };
}

describe('serve', () => {
  it('never mixes old and new weights while the model learns and publishes', async () => {
    const { hashes, options } = await everyStep();
    const answers = new Set(hashes.values());
    using model = odd();
    using serving = await serve(model);
    let running = true;
    const training = fit(model, train, { ...options, priority: 'background' }).finally(() => {
      running = false;
    });
    const versions = new Set<number>();
    let asked = 0;
    const ask = async () => {
      while (running) {
        const { probabilities, version } = await serving.predict(images, ASK);
        expect(answers.has(probabilities.join())).toBe(true);
        versions.add(version);
        asked += 1;
      }
    };
    const publish = async () => {
      while (running) await serving.publish();
    };
    await Promise.all([ask(), ask(), ask(), publish()]);
    await training;
    expect(asked).toBeGreaterThan(10);
    expect(versions.size).toBeGreaterThan(3);
    expect(hashes.has(weightsSha256(serving.snapshot))).toBe(true);
    expect(await serving.publish()).toBe(serving.version);
    expect(weightsSha256(serving.snapshot)).toBe(weightsSha256(model));
  });

  it('publishes in the order of the calls, also another model, and keeps its weights where that fails', async () => {
    const before = memory().tensors;
    {
      using model = odd();
      using other = odd(2);
      const gone = odd(3);
      gone.dispose();
      using serving = await serve(model);
      const [first, second, third] = await Promise.allSettled([
        serving.publish(other),
        serving.publish(gone),
        serving.publish(),
      ]);
      expect(first).toMatchObject({ value: 2 });
      expect(second).toMatchObject({ reason: { code: 'ERR_DISPOSED' } });
      expect(third).toMatchObject({ value: 3 });
      await serving.publish(other);
      expect(weightsSha256(serving.snapshot)).toBe(weightsSha256(other));
      const late = serving.predict(images, ASK);
      serving.dispose();
      expect((await late).version).toBe(4); // under way when it was disposed
      await expect(serving.predict(images, ASK)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
      await expect(serving.publish()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
      expect(() => serving.snapshot).toThrow(expect.objectContaining({ code: 'ERR_DISPOSED' }));
    }
    expect(memory().tensors).toBe(before);
  });
});
