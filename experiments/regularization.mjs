// SPDX-License-Identifier: Apache-2.0
// Dropout, batch normalisation and weight decay on a training set that is small enough to be learned by heart. Each is trained
// several times, on different small sets.
import { evaluate, nn, subset } from 'receptive';
import { bars } from './harness/charts.mjs';
import { mean, percent } from './harness/report.mjs';

export const summary = 'dropout, batch normalisation and weight decay on a small training set';

export const sizes = {
  quick: { trainSize: 200, testSize: 500, epochs: 20, runs: 3 },
  full: { trainSize: 500, testSize: 10_000, epochs: 60, runs: 5 },
};

const WAYS = [
  { key: 'none', name: 'none' },
  { key: 'decay', name: 'weight decay', weightDecay: 0.005 },
  { key: 'dropout', name: 'dropout', dropout: 0.5 },
  { key: 'batchNorm', name: 'batch normalisation', batchNorm: true },
  { key: 'all', name: 'all three', weightDecay: 0.005, dropout: 0.5, batchNorm: true },
];

function network({ dropout = 0, batchNorm = false }) {
  const conv = (channels, maps) => [
    new nn.Conv2d(channels, maps, { kernelSize: 5, padding: 2, bias: !batchNorm }),
    ...(batchNorm ? [new nn.BatchNorm2d(maps)] : []),
    ...[new nn.ReLU(), new nn.MaxPool2d(2)],
  ];
  const drop = () => (dropout > 0 ? [new nn.Dropout(dropout)] : []);
  return new nn.Sequential(
    ...[...conv(1, 8), ...conv(8, 16), new nn.Flatten()],
    ...[...drop(), new nn.Linear(7 * 7 * 16, 128), new nn.ReLU(), ...drop(), new nn.Linear(128, 10)],
  );
}

export async function run({ sizes, seed, digits, trainAll }) {
  const { trainSize, testSize, epochs, runs } = sizes;
  const { train, test, data } = await digits({ trainSize: trainSize * runs, testSize });
  const parts = Array.from({ length: runs }, (_, run) =>
    subset(
      train,
      Array.from({ length: trainSize }, (_, i) => run * trainSize + i),
    ),
  );
  const tries = WAYS.flatMap((way) => parts.map((dataset, i) => ({ way, dataset, seed: seed + i })));
  const trained = await trainAll(
    tries.map(({ way, dataset, seed }) => ({
      ...{ label: `${way.name}, seed ${seed}`, build: () => network(way), dataset, seed },
      options: {
        ...{ epochs, batchSize: 20, optimizer: 'sgd', momentum: 0.9, lr: 0.02, schedule: 'cosine' },
        weightDecay: way.weightDecay ?? 0,
      },
    })),
  );
  const found = [];
  for (const [i, { model }] of trained.entries()) {
    const { way, dataset } = tries[i];
    const [learned, seen] = [await evaluate(model, dataset), await evaluate(model, test)];
    found.push({ key: way.key, training: 1 - learned.accuracy, error: 1 - seen.accuracy, loss: seen.loss });
    model.dispose();
  }
  const rows = WAYS.map(({ key, name }) => {
    const own = found.filter((entry) => entry.key === key);
    const of = (field) => mean(own.map((entry) => entry[field]));
    const errors = own.map(({ error }) => error);
    return {
      ...{ key, name, training: of('training'), error: of('error'), loss: of('loss') },
      ...{ lowest: Math.min(...errors), highest: Math.max(...errors) },
    };
  });
  const figures = Object.fromEntries(rows.map(({ key, error }) => [key, error]));
  const { none, dropout, batchNorm, all } = figures;
  return {
    title: 'Regularisation on a small training set',
    claim:
      'dropout, batch normalisation and weight decay let a network that knows its training set by heart do better on other images',
    source:
      'Srivastava and others 2014; Ioffe and Szegedy 2015; Krogh and Hertz 1991; Nielsen 2015, chapter 3',
    data: `${data}; ${runs} trainings of ${trainSize} images each`,
    columns: [
      { key: 'name', title: 'regularisation', format: 'text' },
      { key: 'training', title: 'training error', format: 'percent' },
      { key: 'error', title: `test error, mean of ${runs}`, format: 'percent' },
      { key: 'lowest', title: 'lowest', format: 'percent' },
      { key: 'highest', title: 'highest', format: 'percent' },
      { key: 'loss', title: 'test loss', format: 'number' },
    ],
    rows,
    figures,
    holds: dropout < none && batchNorm < none,
    verdict: `${percent(none)} of the test images are wrong without regularisation, ${percent(figures.decay)} with weight decay, ${percent(batchNorm)} with batch normalisation, ${percent(dropout)} with dropout, ${percent(all)} with all three.`,
    svg: await picture(rows, sizes, data),
  };
}

function picture(rows, { trainSize, runs }, data) {
  return bars({
    title: `Test error after training on ${trainSize} images`,
    subtitle: data,
    values: rows.map(({ name, error }) => ({ name, value: error })),
    x: { title: `test error, mean of ${runs} trainings`, format: '~%', textFormat: '.2%' },
  });
}
