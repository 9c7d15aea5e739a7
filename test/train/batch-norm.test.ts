// SPDX-License-Identifier: Apache-2.0
// Networks with running statistics and branches, trained: the same bits captured and not, on any number of threads.
import { afterEach, describe, expect, it } from 'vitest';
import { ArrayDataset } from '../../lib/data/dataset.js';
import { xo } from '../../lib/data/xo.js';
import { weightsSha256 } from '../../lib/io/weights.js';
import { createModel } from '../../lib/models/registry.js';
import { nativeInfo, setNumThreads } from '../../lib/native/bindings.js';
import * as nn from '../../lib/nn/index.js';
import { manualSeed } from '../../lib/tensor/random.js';
import { evaluate } from '../../lib/train/evaluate.js';
import { fit } from '../../lib/train/fit.js';
import { pattern } from '../helpers/pattern.js';

const { threads } = nativeInfo();
afterEach(() => setNumThreads(threads));

/** Fixed images of noise, with labels in turn. */
function noise(count: number, imageShape: readonly [number, number, number]): ArrayDataset {
  const size = imageShape.reduce((product, length) => product * length, count);
  return new ArrayDataset({
    name: 'noise',
    images: Uint8Array.from(pattern(1, size), (value) => 128 + 127 * value),
    labels: new Int32Array(count).map((_, i) => i % 10),
    imageShape,
    classNames: [...'0123456789'],
  });
}

describe('ResNet-20', () => {
  it('gets the same weights and statistics captured and not, on 1, 2 and 3 threads', async () => {
    const dataset = noise(40, [12, 12, 3]); // the last batch is short
    const runs: object[] = [];
    for (const [capture, threads] of [
      [false, 1],
      [true, 1],
      [false, 3],
      [true, 2],
    ] as const) {
      setNumThreads(threads);
      manualSeed(3);
      using model = createModel('resnet20-cifar', { inputShape: [12, 12, 3] }).model;
      const { captured, history } = await fit(model, dataset, {
        epochs: 2,
        batchSize: 16,
        lr: 0.05,
        capture,
      });
      expect(captured).toBe(capture);
      const counted = model.stateDict().get('layer3.2.bn2.num_batches_tracked');
      runs.push({
        sha: weightsSha256(model),
        losses: history.map(({ loss }) => loss),
        steps: counted?.item(),
      });
    }
    expect(runs[0]).toMatchObject({ steps: 6 });
    for (const run of runs) expect(run).toEqual(runs[0]);
  });
});

it('a small network with batch normalisation learns, and its running statistics serve in use', async () => {
  manualSeed(2);
  const { train, test } = xo({ trainSize: 400, testSize: 200 });
  const [h, w, c] = train.imageShape;
  using model = new nn.Sequential(
    new nn.Conv2d(c, 8, { kernelSize: 5, padding: 2, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(4),
    new nn.Flatten(),
    new nn.Linear((h / 4) * (w / 4) * 8, 2),
  );
  await fit(model, train, { epochs: 6, batchSize: 20, optimizer: 'sgd', lr: 0.02, momentum: 0.9 });
  expect((await evaluate(model, test)).accuracy).toBeGreaterThan(0.9);
});
