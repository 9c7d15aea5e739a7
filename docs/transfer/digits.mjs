// SPDX-License-Identifier: Apache-2.0
// The table of docs/transfer.md: LeNet-5 learns five digits, and then the other five.
//
//   node docs/transfer/digits.mjs FOLDER      where the files of MNIST lie
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ArrayDataset,
  evaluate,
  fit,
  LeNet5,
  loadWeights,
  manualSeed,
  mnist,
  nn,
  saveWeights,
  subset,
} from 'receptive';

const { train, test } = await mnist({ dataDir: process.argv[2] });
const SETTINGS = { batchSize: 64, optimizer: 'adam', lr: 1e-3, schedule: 'cosine' };

/** The images of five digits, the first `count` of them. */
function digits(set, first, count = Infinity) {
  const rows = [...set.labels.keys()].filter((i) => set.labels[i] >= first && set.labels[i] < first + 5);
  const part = subset(set, rows.slice(0, count));
  const labels = part.labels.map((label) => label - first);
  return new ArrayDataset({ ...part, labels, classNames: set.classNames.slice(first, first + 5) });
}

/** What learns, by name. */
const WAYS = {
  'the new last layer': (model) => model.freeze(true, { statistics: true }) && [nn.replaceHead(model, 5)],
  'the three linear layers': (model) =>
    model.freeze(true, { statistics: true }) && [model.fc1, model.fc2, nn.replaceHead(model, 5)],
  'all layers': (model) => [nn.replaceHead(model, 5)],
};

const folder = mkdtempSync(join(tmpdir(), 'receptive-digits-'));
const file = join(folder, 'low.safetensors');
try {
  manualSeed(1);
  const low = new LeNet5({ classes: 5 });
  await fit(low, digits(train, 0), { ...SETTINGS, epochs: 5 });
  console.log(`0 to 4: ${(await evaluate(low, digits(test, 0))).accuracy.toFixed(4)}`);
  await saveWeights(low, file);
  for (const [name, prepare] of [...Object.entries(WAYS), ['all layers, from nothing']]) {
    for (const count of [500, Infinity]) {
      for (const cacheFeatures of name.startsWith('the') ? [true, false] : [true]) {
        manualSeed(2);
        const model = new LeNet5({ classes: 5 });
        if (prepare !== undefined) await loadWeights(model, file);
        for (const layer of prepare?.(model) ?? []) layer.freeze(false);
        const data = digits(train, 5, count);
        const { seconds, cachedFeatures } = await fit(model, data, {
          ...SETTINGS,
          epochs: 10,
          cacheFeatures,
        });
        const { accuracy } = await evaluate(model, digits(test, 5));
        const all = seconds + (cachedFeatures?.seconds ?? 0);
        const how = cacheFeatures && cachedFeatures ? `, features of ${cachedFeatures.bytes} bytes once` : '';
        console.log(`${name}, ${data.length} images: ${accuracy.toFixed(4)} in ${all.toFixed(2)} s${how}`);
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
