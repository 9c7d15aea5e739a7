// SPDX-License-Identifier: Apache-2.0
// Layers that pool to a size, resize, and drop channels and branches: the same bits eager and captured, on any number of
// threads and in micro-batches.
import { afterAll, describe, expect, it } from 'vitest';
import {
  add,
  type CaptureOptions,
  capture,
  crossEntropy,
  dropout2d,
  manualSeed,
  nn,
  optim,
  setNumThreads,
  stochasticDepth,
  type Tensor,
  tensor,
  tensorScope,
  weightsSha256,
} from '../../lib/index.js';
import { nativeInfo } from '../../lib/native/bindings.js';
import { BatchParts } from '../../lib/ops/batch-part.js';
import { pattern } from '../helpers/pattern.js';

const { threads } = nativeInfo();
afterAll(() => setNumThreads(threads));

const [BATCH, STEPS] = [16, 3];
const SHAPE = [BATCH, 11, 9, 2] as const;
const SIZE = BATCH * 11 * 9 * 2;
const images = Float32Array.from(pattern(1, STEPS * SIZE));
const labels = Int32Array.from({ length: STEPS * BATCH }, (_, i) => (i * 7) % 5);

/** A residual branch that is left out now and then, at half the size and back. */
class Branch extends nn.Module {
  readonly down = new nn.AvgPool2d({ kernelSize: 3, stride: 2, padding: 1, ceilMode: true });
  readonly conv = new nn.Conv2d(6, 6, { kernelSize: 3, padding: 1 });
  readonly drop = new nn.Dropout2d(0.3);
  readonly depth: nn.StochasticDepth;

  constructor(
    mode: 'row' | 'batch',
    readonly alignCorners: boolean,
  ) {
    super();
    this.depth = new nn.StochasticDepth(0.4, mode);
  }

  override forward(x: Tensor): Tensor {
    const y = this.drop.call(this.conv.call(this.down.call(x)));
    const up = new nn.Upsample({ size: [11, 9], mode: 'bilinear', alignCorners: this.alignCorners });
    return add(x, this.depth.call(up.call(y)));
  }
}

const nets: Readonly<Record<string, () => nn.Module>> = {
  'row by row': () =>
    new nn.Sequential(
      new nn.Conv2d(2, 6, { kernelSize: 3, padding: 1 }),
      new nn.ReLU(),
      new Branch('row', false),
      new nn.MaxPool2d({ kernelSize: 2, ceilMode: true }),
      new nn.SpatialPyramidPool2d([1, 2, 4]),
      new nn.Linear(21 * 6, 5),
    ),
  'batch by batch': () =>
    new nn.Sequential(
      new nn.Conv2d(2, 6, { kernelSize: 3, padding: 1 }),
      new nn.Tanh(),
      new Branch('batch', true),
      new nn.AdaptiveMaxPool2d([4, 3]),
      new nn.Upsample({ scaleFactor: 2 }),
      new nn.LPPool2d(3, { kernelSize: 3, stride: 2, padding: 1 }),
      new nn.AdaptiveAvgPool2d(2),
      new nn.GlobalMaxPool2d(),
      new nn.Linear(6, 5),
    ),
};

function trainer(make: () => nn.Module) {
  manualSeed(3);
  const model = make();
  return { model, optimizer: new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 }) };
}

function eager(make: () => nn.Module): string {
  const { model, optimizer } = trainer(make);
  for (let s = 0; s < STEPS; s++) {
    tensorScope(() => {
      const x = tensor(images.slice(s * SIZE, (s + 1) * SIZE), SHAPE);
      const loss = crossEntropy(model.call(x), tensor(labels.slice(s * BATCH, (s + 1) * BATCH)));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    });
  }
  const hash = weightsSha256(model);
  for (const part of [model, optimizer]) part.dispose();
  return hash;
}

async function captured(make: () => nn.Module, options: Omit<CaptureOptions, 'input'> = {}) {
  const { model, optimizer } = trainer(make);
  using plan = capture({ model, optimizer }, { input: SHAPE, ...options });
  const { outputs } = await plan.run({ images, labels });
  const hash = weightsSha256(model);
  for (const part of [model, optimizer]) part.dispose();
  return { hash, losses: [...outputs.loss] };
}

describe.each(Object.entries(nets))('%s', (_, make) => {
  it('has the same bits eager and captured, with 1, 2, 3 and 7 threads', async () => {
    setNumThreads(1);
    const wanted = eager(make);
    for (const count of [1, 2, 3, 7]) {
      setNumThreads(count);
      expect(eager(make), `eager, ${count} threads`).toBe(wanted);
      expect((await captured(make)).hash, `captured, ${count} threads`).toBe(wanted);
    }
  });

  it('draws in micro-batches what the whole batch draws', async () => {
    const whole = await captured(make);
    const divided = await captured(make, { microBatches: 4 });
    divided.losses.forEach((loss, step) => {
      expect(loss).toBeCloseTo(whole.losses[step], 5);
    });
    setNumThreads(3);
    expect((await captured(make, { microBatches: 4 })).hash).toBe(divided.hash);
  });
});

it('parts of a batch fare as they would in the whole, wherever they begin', () => {
  const draws: Readonly<Record<string, (x: Tensor) => Tensor>> = {
    channels: (x) => dropout2d(x, 0.4),
    rows: (x) => stochasticDepth(x, 0.4),
    batch: (x) => stochasticDepth(x, 0.4, 'batch'),
  };
  const ones = (n: number) => tensor(new Float32Array(n * 12).fill(1), [n, 2, 2, 3]);
  for (const [name, draw] of Object.entries(draws)) {
    for (const size of [1, 2, 3, 4]) {
      tensorScope(() => {
        manualSeed(9);
        const wholes = [[...draw(ones(7)).data()], [...draw(ones(7)).data()]];
        manualSeed(9);
        const parts = new BatchParts();
        const found: number[][] = [[], []];
        for (let first = 0; first < 7; first += size) {
          const rows = Math.min(size, 7 - first);
          parts.run(first, rows, () => {
            for (const values of found) values.push(...draw(ones(rows)).data());
          });
        }
        expect(found, `${name} by ${size}`).toEqual(wholes);
      });
    }
  }
});

it('drops about as many as it is told, channels and samples as a whole', () => {
  using _scope = tensorScope();
  manualSeed(1);
  const x = tensor(new Float32Array(400 * 2 * 50).fill(1), [400, 2, 1, 50]);
  const channels = new nn.Dropout2d(0.25).call(x).data();
  const rows = new nn.StochasticDepth(0.25).call(x).data();
  let kept = 0;
  for (let sample = 0; sample < 400; sample++) {
    for (let c = 0; c < 50; c++) {
      const [above, below] = [channels[sample * 100 + c], channels[sample * 100 + 50 + c]];
      expect(above).toBe(below);
      kept += above === 0 ? 0 : 1;
    }
    expect(new Set(rows.slice(sample * 100, sample * 100 + 100)).size).toBe(1);
  }
  expect(kept / 20_000).toBeGreaterThan(0.737); // 4 standard errors
  expect(kept / 20_000).toBeLessThan(0.763);
  expect(new Set(channels)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  const survivors = rows.filter((value, i) => i % 100 === 0 && value !== 0).length / 400;
  expect(Math.abs(survivors - 0.75)).toBeLessThan(0.087);
  for (const layer of [new nn.Dropout2d(), new nn.StochasticDepth(0.5)]) {
    expect(layer.eval().call(x)).toBe(x);
  }
});
