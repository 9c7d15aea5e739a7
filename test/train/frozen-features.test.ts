// SPDX-License-Identifier: Apache-2.0
// Features of frozen layers, computed once: the training is the one without, and what may not be kept is not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  add,
  dropout,
  evaluate,
  type FitOptions,
  fit,
  manualSeed,
  memory,
  nn,
  optim,
  StreamDataset,
  scale,
  type Tensor,
  tensor,
  weightsSha256,
} from '../../lib/index.js';
import { someXo, weightsOf } from './tiny.js';

const SIZE = 12 * 12 * 4;

/** Two frozen convolutions with a batch norm, 12x12x4 features, and two layers that learn. */
function transferred(seed = 3, statistics = true): nn.Sequential {
  manualSeed(seed);
  const body = new nn.Sequential(
    new nn.Conv2d(1, 4, { kernelSize: 3, padding: 1 }),
    new nn.BatchNorm2d(4),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.MaxPool2d(2),
  );
  const net = new nn.Sequential(
    body,
    new nn.Flatten(),
    new nn.Linear(SIZE, 8),
    new nn.Tanh(),
    new nn.Linear(8, 2),
  );
  body.freeze(true, { statistics });
  return net;
}

const train = someXo(96);
const validation = someXo(40);
const OPTIONS = { epochs: 3, batchSize: 32, validation, lr: 0.01, optimizer: 'adam' } as const;

async function trained(options: FitOptions, net: nn.Module = transferred()) {
  const result = await fit(net, train, { ...OPTIONS, ...options });
  return { net, result, sha: weightsSha256(net), weights: weightsOf(net) };
}

/** Largest difference, in parts of the largest number. */
function distance(a: readonly number[], b: readonly number[]): number {
  const largest = (values: readonly number[]) =>
    values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest(a.map((value, i) => value - b[i])) / largest(a);
}

describe('features of frozen layers', () => {
  it('are computed once, and lead to the weights of a training without', async () => {
    const reports: unknown[] = [];
    const once = await trained({ onFeatures: (report) => reports.push(report) });
    const always = await trained({ cacheFeatures: false });
    expect(once.result.cachedFeatures).toMatchObject({ layers: 6, bytes: 4 * SIZE * (96 + 40) });
    expect(once.result.notCached).toBeUndefined();
    expect(always.result.cachedFeatures).toBeUndefined();
    expect(reports.at(-1)).toEqual({ images: 136, of: 136 });
    expect(distance(once.weights, always.weights)).toBeLessThan(1e-5);
    once.result.history.forEach((row, i) => {
      expect(row.loss).toBeCloseTo(always.result.history[i].loss, 5);
      expect(row.valAccuracy).toBe(always.result.history[i].valAccuracy);
    });
    // the whole model has learnt
    const judged = await evaluate(once.net, validation);
    expect(judged.accuracy).toBe(once.result.history.at(-1)?.valAccuracy);
    expect(judged.loss).toBeCloseTo(once.result.history.at(-1)?.valLoss as number, 5);
  });

  it('give the same bits eager and captured, and for any number of threads', async () => {
    const ways = [{}, { capture: false }, { threads: 1 }, { threads: 3 }];
    const shas = new Set<string>();
    for (const way of ways) shas.add((await trained(way)).sha);
    expect(shas.size).toBe(1);
  });

  it('go with micro-batches, a last batch that is shorter, and slow weights', async () => {
    const options = { ...OPTIONS, batchSize: 20, microBatches: 2, lookahead: 2 };
    const once = await trained(options);
    const always = await trained({ ...options, cacheFeatures: false });
    expect(once.result.cachedFeatures?.layers).toBe(6);
    expect(distance(once.weights, always.weights)).toBeLessThan(1e-5);
  });

  it('are freed', async () => {
    await trained({});
    const before = memory().bytes;
    const { net } = await trained({});
    net.dispose();
    expect(memory().bytes).toBeLessThanOrEqual(before);
  });

  it('go with averages and early stopping', async () => {
    const decay = { ema: 0.5, earlyStopping: { patience: 9 } };
    const once = await trained(decay);
    const always = await trained({ ...decay, cacheFeatures: false });
    expect(once.result.cachedFeatures?.layers).toBe(6);
    expect(distance(once.weights, always.weights)).toBeLessThan(1e-5);
    expect(once.result.history.map(({ valLoss }) => valLoss?.toFixed(4))).toEqual(
      always.result.history.map(({ valLoss }) => valLoss?.toFixed(4)),
    );
  });

  it('are computed again by a training that is gone on with, which ends with the same bits', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'receptive-features-'));
    try {
      const whole = await trained({});
      const stop = new AbortController();
      const checkpoint = { dir, everySteps: 2 };
      const onEpoch = () => stop.abort();
      await trained({ checkpoint, signal: stop.signal, onEpoch });
      const rest = await trained({ checkpoint, resume: true }, transferred(99));
      expect(rest.result).toMatchObject({ resumedAt: 3, steps: 9, cachedFeatures: { layers: 6 } });
      expect(rest.sha).toBe(whole.sha);
    } finally {
      rmSync(dir, { recursive: true });
    }
  });

  it('end with the layer that draws, learns or moves its statistics', async () => {
    manualSeed(1);
    const noisy = new nn.Sequential(
      new nn.Conv2d(1, 2, { kernelSize: 3 }),
      new nn.Dropout(0.5),
      new nn.Flatten(),
      new nn.Linear(22 * 22 * 2, 2),
    );
    noisy.at(0)?.freeze();
    expect((await trained({}, noisy)).result.cachedFeatures).toMatchObject({ layers: 1 });
    const moving = await trained({}, transferred(3, false));
    expect(moving.result.cachedFeatures).toMatchObject({ layers: 1 });
    expect(
      moving.net
        .namedBuffers()
        .find(([name]) => name.endsWith('num_batches_tracked'))?.[1]
        .item(),
    ).toBe(9);
    const fixed = await trained({});
    expect(
      fixed.net
        .namedBuffers()
        .find(([name]) => name.endsWith('num_batches_tracked'))?.[1]
        .item(),
    ).toBe(0);
  });
});

/** No chain, though it is made of one. */
class Residual extends nn.Sequential {
  override forward(x: Tensor): Tensor {
    return add(x, super.forward(x));
  }
}

class Scaled extends nn.Sequential {
  override forward(x: Tensor): Tensor {
    return scale(super.forward(x), 0.5);
  }
}

describe('layers that are chains in name only', () => {
  it('stay whole', async () => {
    const make = () => {
      manualSeed(8);
      const frozen = new nn.Sequential(
        new nn.Conv2d(1, 2, { kernelSize: 3, padding: 1 }),
        new Residual(new nn.Conv2d(2, 2, { kernelSize: 3, padding: 1 }), new nn.ReLU()),
      ).freeze();
      const last = new Residual(new nn.Linear(1152, 1152), new nn.Tanh());
      return new nn.Sequential(frozen, new nn.Flatten(), last, new nn.Linear(1152, 2));
    };
    const once = await trained({}, make());
    const always = await trained({ cacheFeatures: false }, make());
    expect(once.result.cachedFeatures?.layers).toBe(3);
    expect(distance(once.weights, always.weights)).toBeLessThan(1e-5);
    const whole = await trained({}, new Scaled(...transferred()));
    expect(whole.result.notCached).toMatch(/no nn\.Chain/);
  });
});

class Hidden extends nn.Module {
  readonly inner = transferred();

  override forward(x: Tensor): Tensor {
    return this.inner.call(x);
  }
}

/** Frozen, and normalised by each batch all the same. */
function byBatch(): nn.Module {
  const norm = new nn.BatchNorm2d(4, { trackRunningStats: false });
  const body = new nn.Sequential(
    new nn.Conv2d(1, 4, { kernelSize: 3, padding: 1 }),
    norm,
    new nn.MaxPool2d(2),
  );
  return new nn.Sequential(body.freeze(true, { statistics: true }), new nn.Flatten(), new nn.Linear(SIZE, 2));
}

class Noise extends nn.Module {
  override forward(x: Tensor): Tensor {
    return dropout(x, 0.1);
  }
}

describe('features that are not kept', () => {
  const cases: [string, RegExp | undefined, () => nn.Module, FitOptions][] = [
    ['a model whose layers are not known', /no nn\.Chain/, () => new Hidden(), {}],
    ['images that change', /augment/, transferred, { augment: [{ kind: 'flip' }] }],
    [
      'too many',
      /what 1 makes of all images takes 313344 bytes of 1000/,
      transferred,
      { cacheFeatures: { maxBytes: 1000 } },
    ],
    [
      'few, because of statistics that move',
      /what 0\.0 makes .* of 1000; no later layer, because .* 0\.1 move, which freeze\(true/,
      () => transferred(3, false),
      { cacheFeatures: { maxBytes: 1000 } },
    ],
    [
      'a random layer at the beginning',
      /0 draws/,
      () => new nn.Sequential(new Noise(), ...transferred()),
      {},
    ],
    [
      'layers that learn at the beginning',
      undefined,
      () => new nn.Sequential(new nn.Conv2d(1, 1, { kernelSize: 1 }), ...transferred()),
      {},
    ],
    [
      'layers that look at other images',
      /0\.1 looks at other images/,
      byBatch,
      { cacheFeatures: { maxBytes: 1000 } },
    ],
    ['no frozen layers', undefined, () => transferred().freeze(false), {}],
    ['when they are not wanted', undefined, transferred, { cacheFeatures: false }],
  ];
  it.each(cases)('%s', async (_, why, make, options) => {
    const { result } = await trained(options, make());
    expect(result.cachedFeatures).toBeUndefined();
    if (why === undefined) expect(result.notCached).toBeUndefined();
    else expect(result.notCached).toMatch(why);
    expect(result.history).toHaveLength(3);
  });

  it('because someone watches the layers', async () => {
    const net = transferred();
    let seen = 0;
    net.at(0)?.onForward(() => seen++);
    const { result } = await trained({ capture: false }, net);
    expect(result.notCached).toMatch(/hooks/);
    expect(seen).toBeGreaterThan(9);
  });

  it('because they are not finite, and the training says what is', async () => {
    const net = transferred();
    const [[name, weight]] = net.namedParameters();
    using broken = tensor(new Float32Array(weight.size).fill(Number.NaN), weight.shape);
    net.loadStateDict(new Map([[name, broken]]), { strict: false });
    await expect(trained({}, net)).rejects.toMatchObject({ code: 'ERR_NUMERICS' });
  });

  it('because averages or slow weights from before hold other layers', async () => {
    const net = transferred();
    using ema = new optim.EMA(net, { decay: 0.5 });
    using lookahead = new optim.Lookahead(net);
    const same = await trained({ ema }, net);
    expect(same.result.cachedFeatures?.layers).toBe(6);
    const lossOf = async () => (await evaluate(ema.model, validation)).loss;
    expect(same.result.history.at(-1)?.valLoss).toBeCloseTo(await lossOf(), 5);
    using other = transferred(17);
    net.loadStateDict(other.stateDict());
    const averaged = await trained({ ema }, net);
    expect(averaged.result.notCached).toMatch(/hold other frozen layers/);
    expect(averaged.result.history.at(-1)?.valLoss).toBeCloseTo(await lossOf(), 5);
    net.loadStateDict(other.stateDict());
    expect((await trained({ lookahead }, net)).result.notCached).toMatch(/hold other frozen layers/);
  });

  it('because samples come once', async () => {
    const { images, labels } = train;
    const net = transferred();
    function* source() {
      for (let i = 0; i < 32; i++) {
        yield {
          image: images.subarray(i * 576, (i + 1) * 576),
          shape: [24, 24, 1] as const,
          label: labels[i],
        };
      }
    }
    const stream = new StreamDataset({ source, imageShape: [24, 24, 1], classNames: train.classNames });
    expect((await fit(net, stream)).notCached).toMatch(/stream/);
  });

  it('because half of the time is over', async () => {
    const stop = new AbortController();
    const { result } = await trained({ epochs: undefined, budget: { minutes: 0.001 }, batchSize: 1 });
    expect(result.notCached ?? 'done').toMatch(/half of the time|done/);
    expect(result.steps).toBeGreaterThan(0);
    const long = await trained({
      epochs: undefined,
      budget: { minutes: 1e6 },
      onEpoch: () => stop.abort(),
      signal: stop.signal,
    });
    expect(long.result.cachedFeatures?.layers).toBe(6);
  });

  it('and are freed where a listener throws', async () => {
    const net = transferred();
    const onFeatures = () => {
      throw new Error('enough');
    };
    await trained({}, net);
    const before = memory().bytes;
    await expect(trained({ onFeatures }, net)).rejects.toThrow('enough');
    await expect(trained({ onFeatures, capture: false }, net)).rejects.toThrow('enough');
    expect(memory().bytes).toBeLessThanOrEqual(before);
  });

  it('and are refused to layers that are let go meanwhile', async () => {
    const net = transferred();
    const onEpoch = () => void net.freeze(false);
    await expect(trained({ onEpoch, capture: false }, net)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('because the signal came', async () => {
    const stop = new AbortController();
    stop.abort();
    const { result } = await trained({ signal: stop.signal });
    expect(result).toMatchObject({ aborted: true, steps: 0, cachedFeatures: undefined });
  });

  it.each([
    ['cacheFeatures', 'yes'],
    ['cacheFeatures', null],
    ['cacheFeatures', { bytes: 1 }],
    ['cacheFeatures', { maxBytes: -1 }],
    ['onFeatures', 'no function'],
  ])('of wrong options: %s %j', async (name, value) => {
    await expect(trained({ [name]: value })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});
