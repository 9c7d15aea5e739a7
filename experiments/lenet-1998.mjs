// SPDX-License-Identifier: Apache-2.0
// LeNet-5, its forerunners and its variants beside the table of 1998.
import { LeNet5, LeNet5Of1998, nn } from 'receptive';
import { bars } from './harness/charts.mjs';
import { joined, placed } from './harness/images.mjs';

export const summary = 'test error of LeNet-5, its forerunners and variants beside the published table';

export const sizes = {
  quick: { trainSize: 3000, testSize: 1000, epochs: 5 },
  full: { trainSize: 60_000, testSize: 10_000, epochs: 20 },
};

/** 28x28, 4 maps of 5x5, pool, 12 maps of 5x5, pool, classes. The table of 1998 that connects the maps is left out. */
const lenet1 = () =>
  new nn.Sequential(
    ...[new nn.Conv2d(1, 4, { kernelSize: 5 }), new nn.Tanh(), new nn.AvgPool2d(2)],
    ...[new nn.Conv2d(4, 12, { kernelSize: 5 }), new nn.Tanh(), new nn.AvgPool2d(2)],
    ...[new nn.Flatten(), new nn.Linear(4 * 4 * 12, 10, { flattenedFrom: [4, 4, 12] })],
  );

/** Tanh between layers of these sizes. */
const dense = (...hidden) => {
  const layers = [784, ...hidden].flatMap((size, i, all) => [
    ...(i === 0 ? [] : [new nn.Tanh()]),
    new nn.Linear(size, all[i + 1] ?? 10),
  ]);
  return new nn.Sequential(new nn.Flatten(), ...layers);
};

const SHAPE = { inputShape: [28, 28, 1] };

/** `published` is the error in the paper, null for what it does not have. */
const ROWS = [
  { name: 'linear', build: () => dense(), published: 0.12, lr: 0.005 },
  { name: '300 hidden units', build: () => dense(300), published: 0.047, lr: 0.02 },
  { name: '300-100 hidden units', build: () => dense(300, 100), published: 0.0305, lr: 0.02 },
  { name: 'LeNet-1', build: lenet1, published: 0.017, lr: 0.05 },
  { name: 'LeNet-5 as in 1998', build: () => new LeNet5Of1998(SHAPE), published: 0.0095, lr: 0.005 },
  {
    name: '1998, softmax',
    build: () => new LeNet5Of1998({ ...SHAPE, output: 'softmax' }),
    published: null,
    lr: 0.02,
  },
  {
    name: 'LeNet-5, tanh, average pools',
    build: () => new LeNet5({ variant: '1998' }),
    published: null,
    lr: 0.05,
  },
  { name: 'LeNet-5, ReLU, max pools', build: () => new LeNet5(), published: null, lr: 0.03 },
  {
    name: 'the same, images moved',
    build: () => new LeNet5(),
    distorted: true,
    published: 0.008,
    lr: 0.03,
  },
];

const BATCH = 32;

/** The pictures, and a copy of them moved by up to two pixels in either direction, each quarter of it another way. */
function distorted(dataset) {
  const moves = [
    { right: 1, down: 1 },
    { right: -1, down: 2 },
    { right: 2, down: -1 },
    { right: -2, down: -2 },
  ];
  return joined([dataset, ...moves.map((move) => placed(dataset, move))]);
}

export async function run({ sizes, digits, trainAll }) {
  const { epochs } = sizes;
  const { train, test, data } = await digits(sizes);
  const moved = distorted(train);
  const jobs = ROWS.map(({ name, build, lr, distorted: isDistorted = false }) => ({
    label: name,
    build,
    dataset: isDistorted ? moved : train,
    options: {
      ...{ epochs: isDistorted ? Math.ceil(epochs / 5) : epochs, batchSize: BATCH, validation: test },
      ...{ optimizer: 'sgd', momentum: 0.9, lr, schedule: 'cosine', warmup: 100 },
    },
  }));
  const trained = (await trainAll(jobs.toReversed())).toReversed(); // the longest first
  const rows = trained.map(({ model, history }, i) => {
    const parameters = model.parameters().reduce((total, { size }) => total + size, 0);
    model.dispose();
    const { valAccuracy, accuracy } = history.at(-1);
    const { name, published } = ROWS[i];
    return { name, parameters, training: 1 - accuracy, error: 1 - valAccuracy, published };
  });
  const errorOf = (name) => rows.find((row) => row.name === name).error;
  const figures = {
    linear: errorOf('linear'),
    dense: errorOf('300-100 hidden units'),
    lenet1: errorOf('LeNet-1'),
    lenet5: errorOf('LeNet-5 as in 1998'),
    today: errorOf('LeNet-5, ReLU, max pools'),
  };
  const { linear, dense: best, lenet5 } = figures;
  return {
    title: 'LeNet-5 and its time',
    claim:
      'on the digits of MNIST LeNet-5 errs in 0.95 % of the images, fully connected networks in 3 to 5 %, a linear classifier in 12 %',
    source: 'LeCun, Bottou, Bengio and Haffner 1998, section III and figure 9',
    data,
    columns: [
      { key: 'name', title: 'network', format: 'text' },
      { key: 'parameters', title: 'parameters', format: 'count' },
      { key: 'training', title: 'training error', format: 'percent' },
      { key: 'error', title: 'test error', format: 'percent' },
      { key: 'published', title: 'published (MNIST)', format: 'percent' },
    ],
    rows,
    figures,
    holds: lenet5 < best && best < linear,
    verdict: `LeNet-5 in its form of 1998 errs in ${(100 * lenet5).toFixed(2)} %, the fully connected 300-100 in ${(100 * best).toFixed(2)} %, the linear classifier in ${(100 * linear).toFixed(2)} %.`,
    svg: await picture(rows, data),
  };
}

function picture(rows, data) {
  const series = ['here', 'published, MNIST'];
  return bars({
    title: 'Test error beside the table of 1998',
    subtitle: data,
    values: rows.flatMap(({ name, error, published }) => [
      { name, series: series[0], value: error },
      ...(published === null ? [] : [{ name, series: series[1], value: published }]),
    ]),
    x: { title: 'test error', format: '~%', textFormat: '.2%' },
    series,
  });
}
