// SPDX-License-Identifier: Apache-2.0
// Training steps whose batches come out of a loader: from a packed file and augmented ('fed'), or from memory as they are
// ('from-memory'). The step is the captured one that `fit` runs.
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ALIGNMENT, encodeHeader } from '../../../dist/data/packed-format.js';
import { capture, DataLoader, manualSeed, openPacked, optim, readPacked } from '../../../dist/index.js';
import { seededRandom } from '../../harness/statistics.mjs';
import { buildModel } from './network.mjs';

export const variants = () => [process.env.BENCH_VARIANT ?? 'fed'];

/** Of a set that is made up. */
const IMAGES = 8192;
/** A run of a plan is begun and ended once for so many steps. */
const STEPS = { lenet5: 100 };

export async function prepare({ net, batch, augment, packed }, variant) {
  const folder = packed === null ? mkdtempSync(path.join(tmpdir(), 'receptive-feed-')) : undefined;
  const file = packed ?? generate(path.join(folder, 'images.packed'), net);
  try {
    const images =
      variant === 'fed' ? await openPacked(file, 'train') : (await readPacked(file)).get('train');
    return training(net, batch, images, variant === 'fed' ? augment : undefined);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true }); // what is open stays readable
  }
}

function training(net, batch, images, augment) {
  manualSeed(1);
  const model = buildModel(net);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.001, momentum: 0.9 });
  const loader = new DataLoader(images, {
    batchSize: batch,
    shuffle: true,
    dropLast: true,
    seed: 1,
    augment,
  });
  const plan = capture({ model, optimizer }, { inputs: loader });
  const steps = STEPS[net.model] ?? 2;
  let loss = Number.NaN;
  return {
    perCall: steps,
    async run() {
      const { outputs } = await plan.run(loader, { steps });
      loss = outputs.loss.at(-1);
    },
    // Garbage is quick to compute: a figure counts only if the net still learns
    check() {
      if (!Number.isFinite(loss)) throw new Error(`the loss is ${loss}`);
    },
    dispose() {
      for (const held of [plan, loader, optimizer, model]) held.dispose();
      images.dispose?.();
    },
  };
}

/** A packed file of random images of the net's size. */
function generate(file, { input, classes }) {
  const random = seededRandom(1);
  const size = input.reduce((a, b) => a * b);
  const images = Uint8Array.from({ length: IMAGES * size }, () => 256 * random());
  const labels = new Uint8Array(Int32Array.from({ length: IMAGES }, () => classes * random()).buffer);
  const sections = {};
  let end = ALIGNMENT;
  const pieces = [];
  for (const [name, bytes] of Object.entries({ images, labels })) {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    sections[name] = {
      offset,
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
    pieces.push([offset, bytes]);
    end = offset + bytes.length;
  }
  const index = new TextEncoder().encode(
    JSON.stringify({
      name: 'generated',
      imageShape: input,
      classNames: Array.from({ length: classes }, (_, i) => String(i)),
      normalization: { mean: new Array(input[2]).fill(0.5), std: new Array(input[2]).fill(0.25) },
      parts: { train: { length: IMAGES, ...sections } },
    }),
  );
  const whole = new Uint8Array(end + index.length);
  for (const [offset, bytes] of [...pieces, [0, encodeHeader(index, end)], [end, index]])
    whole.set(bytes, offset);
  writeFileSync(file, whole);
  return file;
}
