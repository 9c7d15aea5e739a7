// SPDX-License-Identifier: Apache-2.0
// Convolutional against fully connected networks: parameters and accuracy of both kinds in several sizes, and how many
// parameters either takes to the same accuracy.
import { nn } from 'receptive';
import { lines } from './harness/charts.mjs';
import { percent } from './harness/report.mjs';

export const summary = 'parameters of convolutional and fully connected networks at equal accuracy';

export const sizes = {
  quick: { trainSize: 3000, testSize: 1000, images: 30_000, dense: [8, 16, 32, 64, 128], maps: [1, 2, 4] },
  full: {
    ...{ trainSize: 60_000, testSize: 10_000, images: 600_000 },
    ...{ dense: [8, 16, 32, 64, 128, 256, 512], maps: [1, 2, 3, 4, 6, 8] },
  },
};

/** One hidden layer. */
const denseNet = (hidden) =>
  new nn.Sequential(new nn.Flatten(), new nn.Linear(784, hidden), new nn.ReLU(), new nn.Linear(hidden, 10));

/** Two convolutions and poolings, and a linear layer. */
const convNet = (maps) =>
  new nn.Sequential(
    ...[new nn.Conv2d(1, maps, { kernelSize: 5, padding: 2 }), new nn.ReLU(), new nn.MaxPool2d(2)],
    ...[new nn.Conv2d(maps, 2 * maps, { kernelSize: 5 }), new nn.ReLU(), new nn.MaxPool2d(2)],
    ...[new nn.Flatten(), new nn.Linear(5 * 5 * 2 * maps, 10)],
  );

const parametersOf = (module) => module.parameters().reduce((total, { size }) => total + size, 0);

/** The book's two first layers: 20 maps of 5x5, and 30 units that see every pixel. */
function bookLayers() {
  const layers = [new nn.Conv2d(1, 20, { kernelSize: 5 }), new nn.Linear(784, 30)];
  const counts = layers.map(parametersOf);
  for (const layer of layers) layer.dispose();
  return { convolution: counts[0], dense: counts[1] };
}

/**
 * How many parameters a kind of network takes to an error, read off the lines between those of its sizes that are better than
 * all smaller ones, on logarithmic scales; undefined beyond them.
 */
function parametersAt(error, rows) {
  const best = rows.filter((row) =>
    rows.every((other) => other.parameters >= row.parameters || other.error > row.error),
  );
  for (let i = 1; i < best.length; i++) {
    const [worse, better] = [best[i - 1], best[i]];
    if (error > worse.error || error < better.error) continue;
    const share = Math.log(worse.error / error) / Math.log(worse.error / better.error);
    return worse.parameters * (better.parameters / worse.parameters) ** share;
  }
  return undefined;
}

export async function run({ sizes, digits, trainAll }) {
  const { train, test, data } = await digits(sizes);
  const epochs = Math.round(sizes.images / train.length);
  const options = {
    epochs,
    batchSize: 50,
    optimizer: 'adamw',
    lr: 0.003,
    schedule: 'cosine',
    validation: test,
  };
  const networks = [
    ...sizes.dense.map((size) => ({ kind: 'fully connected', size, build: () => denseNet(size) })),
    ...sizes.maps.map((size) => ({ kind: 'convolutional', size, build: () => convNet(size) })),
  ];
  const trained = await trainAll(
    networks.map(({ kind, size, build }) => ({ label: `${kind}, ${size}`, build, dataset: train, options })),
  );
  const rows = trained.map(({ model, history }, i) => {
    const { kind, size } = networks[i];
    const error = 1 - history.at(-1).valAccuracy;
    const row = { kind, size, parameters: parametersOf(model), accuracy: 1 - error, error };
    model.dispose();
    return row;
  });
  const [dense, convolutional] = ['fully connected', 'convolutional'].map((kind) =>
    rows.filter((row) => row.kind === kind),
  );
  // Where the fully connected ones are at their best, or as near to it as convolutional ones are measured.
  const error = Math.min(
    Math.max(Math.min(...dense.map((row) => row.error)), Math.min(...convolutional.map((row) => row.error))),
    convolutional[0].error,
  );
  const atError = [dense, convolutional].map((kind) => parametersAt(error, kind));
  const book = bookLayers();
  const figures = {
    layerRatio: book.dense / book.convolution,
    accuracy: 1 - error,
    denseParameters: atError[0],
    convolutionalParameters: atError[1],
    ratio: atError[0] / atError[1],
  };
  return {
    title: 'Parameters of convolutional and fully connected networks',
    claim:
      'a fully connected first layer of 30 units has more than 40 times as many parameters as a convolution with 20 maps of 5x5, and a convolutional network needs fewer for the same accuracy',
    source: 'Nielsen 2015, "Neural Networks and Deep Learning", chapter 6',
    data,
    columns: [
      { key: 'kind', title: 'network', format: 'text' },
      { key: 'size', title: 'units or maps', format: 'count' },
      { key: 'parameters', title: 'parameters', format: 'count' },
      { key: 'accuracy', title: 'test accuracy', format: 'percent' },
    ],
    rows,
    figures,
    holds: figures.layerRatio > 40 && figures.ratio > 1,
    verdict: `First layers: ${book.dense} against ${book.convolution} parameters, ${figures.layerRatio.toFixed(1)} times as many. Whole networks of ${percent(1 - error)} accuracy: about ${Math.round(atError[0])} against ${Math.round(atError[1])}, ${figures.ratio.toFixed(0)} times as many.`,
    svg: await picture(rows, 1 - error, data),
  };
}

function picture(rows, accuracy, data) {
  const floor = Math.min(...rows.map(({ error }) => error));
  return lines({
    title: 'Test error against parameters',
    subtitle: data,
    values: rows.map(({ kind, parameters, error }) => ({ parameters, error, series: kind })),
    x: {
      ...{ field: 'parameters', title: 'parameters of the whole network', format: '~s' },
      scale: { type: 'log', nice: false, padding: 16 },
      values: [200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000],
    },
    y: {
      ...{ field: 'error', title: 'test error', format: '~%' },
      scale: { type: 'log', nice: false, domain: [floor * 0.8, 0.25] },
      values: [0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2],
    },
    series: ['convolutional', 'fully connected'],
    points: true,
    rules: [{ y: 1 - accuracy, label: `${percent(1 - accuracy)}: where they are compared`, below: true }],
  });
}
