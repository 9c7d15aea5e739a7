// SPDX-License-Identifier: Apache-2.0
// A model of which one tensor has so many MiB, which is saved, loaded, trained with checkpoints or gone on with; a process for
// each, since its peak of memory is that of all its life. Prints one line of JSON.
//
//   node test/soak/big-model.mjs save|load|train|resume|whole MIB FOLDER
import { join } from 'node:path';
import { fit, loadWeights, manualSeed, nn, saveWeights, weightsSha256, xo } from '../../dist/index.js';
import { write } from '../../dist/native/bindings.js';

const ROW = 2 ** 18; // elements of 1 MiB
const [phase, mib, folder] = process.argv.slice(2);
const { train } = xo({ seed: 3, trainSize: 64, testSize: 1 });

/** The large tensor is nothing that is learnt: gradients would be as large again. */
class Heavy extends nn.Module {
  #seed;
  constructor(seed) {
    super();
    manualSeed(seed);
    this.#seed = seed;
    const [h, w, c] = train.imageShape;
    this.table = new nn.Buffer([Number(mib), ROW]);
    this.flatten = new nn.Flatten();
    this.fc = new nn.Linear(h * w * c, 2);
  }

  /** Another number in every element of a piece, other pieces in every row, and nothing else in memory meanwhile. */
  fill() {
    const row = new Float32Array(ROW);
    for (let r = 0; r < this.table.shape[0]; r++) {
      for (let i = 0; i < ROW; i++) row[i] = (i + 1 + this.#seed) * (r + 1);
      write(this.table.handle, row, r * ROW);
    }
    return this;
  }

  forward(x) {
    return this.fc.call(this.flatten.call(x));
  }
}

const path = join(folder, 'heavy.safetensors');
const settings = { batchSize: 16, seed: 5, optimizer: 'sgd', lr: 0.01 };
const kept = { checkpoint: { dir: join(folder, 'checkpoints'), onFailure: 'stop' } };
const phases = {
  save: [1, (model) => saveWeights(model, path)],
  load: [2, (model) => loadWeights(model, path)],
  train: [1, (model) => fit(model, train, { ...settings, ...kept, epochs: 1 })],
  resume: [3, (model) => fit(model, train, { ...settings, ...kept, epochs: 2, resume: true })],
  whole: [1, (model) => fit(model, train, { ...settings, epochs: 2 })],
};
const [seed, work] = phases[phase];
const model = new Heavy(seed).fill();
const before = process.memoryUsage.rss();
const begin = performance.now();
const result = await work(model);
const seconds = (performance.now() - begin) / 1000;
const peak = process.resourceUsage().maxRSS * 1024;
console.log(
  JSON.stringify({
    weightsSha256: weightsSha256(model),
    resumedAt: result?.resumedAt ?? 0,
    seconds: Math.round(seconds * 10) / 10,
    copies: Math.round(((peak - before) / 2 ** 20 / Number(mib)) * 100) / 100,
  }),
);
