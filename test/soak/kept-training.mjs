// SPDX-License-Identifier: Apache-2.0
// A training in which everything has a state: dropout, running statistics, averages, a schedule, a momentum. As a program it is
// kept in a folder, or gone on with there, and says 'ready' when it begins and its result when it ends.
import { fileURLToPath } from 'node:url';
import { fit, manualSeed, nn, weightsSha256, xo } from '../../dist/index.js';

const { train, test } = xo({ seed: 3, trainSize: 200, testSize: 32 });

/** Trains from the seed, or from the newest checkpoint; returns the hash of the weights. */
export async function training(options = {}) {
  manualSeed(7);
  const [h, w, c] = train.imageShape;
  const model = new nn.Sequential(
    ...[new nn.Conv2d(c, 4, { kernelSize: 3, padding: 1 }), new nn.BatchNorm2d(4), new nn.ReLU()],
    ...[new nn.MaxPool2d(2), new nn.Dropout(0.2), new nn.Flatten()],
    new nn.Linear((h >> 1) * (w >> 1) * 4, 2),
  );
  const result = await fit(model, train, {
    ...{ epochs: 60, batchSize: 16, seed: 5, lr: 0.01, schedule: 'cosine', warmup: 10, ema: 0.99 },
    validation: test,
    ...options,
  });
  const hash = weightsSha256(model);
  model.dispose();
  return { weightsSha256: hash, steps: result.steps, resumedAt: result.resumedAt ?? 0 };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const checkpoint = { dir: process.argv[2], everySteps: 7, onFailure: 'stop' };
  let isReady = false;
  const onProgress = () => {
    if (!isReady) process.stdout.write('ready\n');
    isReady = true;
  };
  const result = await training({ checkpoint, resume: true, onProgress });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
