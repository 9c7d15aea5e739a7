// SPDX-License-Identifier: Apache-2.0
// Accuracy on pictures that are moved: a fully connected network, a convolutional one, and one whose last layer sees the
// largest answer of each map wherever it lies. All learn from digits in the middle of a larger sheet.
import { evaluate, nn } from 'receptive';
import { lines } from './harness/charts.mjs';
import { placed } from './harness/images.mjs';
import { percent } from './harness/report.mjs';

export const summary =
  'accuracy against pixels that a picture is moved, of a CNN and a fully connected network';

const BORDER = 6;
const SIDE = 28 + 2 * BORDER;

export const sizes = {
  quick: { trainSize: 2500, testSize: 300, images: 10_000, shifts: [0, 2, 4, 6] },
  full: { trainSize: 60_000, testSize: 10_000, images: 300_000, shifts: [0, 1, 2, 3, 4, 5, 6, 7, 8] },
};

const convolutions = () => [
  ...[new nn.Conv2d(1, 8, { kernelSize: 5, padding: 2 }), new nn.ReLU(), new nn.MaxPool2d(2)],
  ...[new nn.Conv2d(8, 16, { kernelSize: 5, padding: 2 }), new nn.ReLU(), new nn.MaxPool2d(2)],
];

const NETWORKS = [
  {
    name: 'fully connected',
    build: () =>
      new nn.Sequential(
        new nn.Flatten(),
        new nn.Linear(SIDE * SIDE, 100),
        new nn.ReLU(),
        new nn.Linear(100, 10),
      ),
  },
  {
    name: 'convolutional',
    build: () =>
      new nn.Sequential(...convolutions(), new nn.Flatten(), new nn.Linear((SIDE / 4) ** 2 * 16, 10)),
  },
  {
    name: 'global max pooling',
    build: () =>
      new nn.Sequential(
        ...convolutions(),
        ...[new nn.Conv2d(16, 64, { kernelSize: 5, padding: 2 }), new nn.ReLU()],
        ...[new nn.GlobalMaxPool2d(), new nn.Flatten(), new nn.Linear(64, 10)],
      ),
  },
];

/** To the right, to the left, up and down. */
const directions = (shift) =>
  shift === 0 ? [{}] : [{ right: shift }, { right: -shift }, { down: -shift }, { down: shift }];

/** Mean accuracy over the four directions. */
async function accuracyAt(model, test, shift) {
  let total = 0;
  const ways = directions(shift);
  for (const way of ways) total += (await evaluate(model, placed(test, { border: BORDER, ...way }))).accuracy;
  return total / ways.length;
}

export async function run({ sizes, digits, trainAll, progress }) {
  const { train, test, data } = await digits(sizes);
  const dataset = placed(train, { border: BORDER });
  const epochs = Math.round(sizes.images / train.length);
  const trained = await trainAll(
    NETWORKS.map(({ name, build }) => ({
      ...{ label: name, build, dataset },
      options: { epochs, batchSize: 50, optimizer: 'adamw', lr: 0.003, schedule: 'cosine' },
    })),
  );
  const accuracies = [];
  for (const { label, model } of trained) {
    const ofModel = [];
    for (const shift of sizes.shifts) {
      progress(`${label}: moved by ${shift}`);
      ofModel.push(await accuracyAt(model, test, shift));
    }
    accuracies.push(ofModel);
    model.dispose();
  }
  const keys = ['dense', 'convolutional', 'global'];
  const rows = sizes.shifts.map((shift, i) => ({
    shift,
    ...Object.fromEntries(keys.map((key, network) => [key, accuracies[network][i]])),
  }));
  const middle = rows.find(({ shift }) => shift === 4);
  const { dense, convolutional, global } = middle;
  return {
    title: 'Pictures that are moved',
    claim:
      'networks of convolutions and pooling recognise a picture that is moved better than fully connected ones',
    source:
      'LeCun, Bottou, Bengio and Haffner 1998, section II.A; Goodfellow, Bengio and Courville 2016, sections 9.2 and 9.3',
    data,
    columns: [
      { key: 'shift', title: 'pixels moved', format: 'count' },
      ...keys.map((key, i) => ({ key, title: NETWORKS[i].name, format: 'percent' })),
    ],
    rows,
    figures: { dense, convolutional, global },
    holds: convolutional > dense && global > convolutional,
    verdict: `Moved by 4 pixels, ${percent(dense, 1)} of the digits are recognised by the fully connected network, ${percent(convolutional, 1)} by the convolutional one, ${percent(global, 1)} with global pooling.`,
    svg: await picture(rows, keys, data),
  };
}

function picture(rows, keys, data) {
  return lines({
    title: 'Accuracy on pictures moved right, left, up and down',
    subtitle: data,
    values: rows.flatMap((row) =>
      keys.map((key, i) => ({ shift: row.shift, accuracy: row[key], series: NETWORKS[i].name })),
    ),
    x: { field: 'shift', title: 'pixels', values: rows.map(({ shift }) => shift), format: 'd' },
    y: { field: 'accuracy', title: 'test accuracy', format: '.0%', scale: { domain: [0, 1], nice: false } },
    series: NETWORKS.map(({ name }) => name),
    points: true,
    columns: 3,
  });
}
