// SPDX-License-Identifier: Apache-2.0
// Nielsen's way from one hidden layer to 99.6 %: each row adds one idea to the row before. Pixels have mean 0 and deviation 1,
// which learns faster than the chapter's, between 0 and 1.
import { NielsenNet } from 'receptive';
import { bars } from './harness/charts.mjs';
import { joined, placed } from './harness/images.mjs';

export const summary = "Nielsen's table: from one hidden layer to convolutions, ReLU, more data and dropout";

/**
 * Pictures of a training, all epochs together, and how wide the last network is. The short form leaves out the steps between:
 * convolutions with sigmoids take long to learn anything.
 */
export const sizes = {
  quick: {
    ...{ trainSize: 2000, testSize: 1000, steps: 'main', wide: 200 },
    ...{ dense: 60_000, sigmoid: 0, relu: 10_000, dropout: 30_000 },
  },
  full: {
    ...{ trainSize: 50_000, testSize: 10_000, steps: 'all', wide: 1000 },
    ...{ dense: 2e6, sigmoid: 600_000, relu: 500_000, dropout: 750_000 },
  },
};

const RELU = { convolutions: 2, activation: 'relu', hidden: [100] };

/** `published` is the accuracy in the chapter; `main` steps are those of the short form. */
const rowsOf = ({ wide }) => [
  { name: '100 sigmoids', net: { convolutions: 0 }, length: 'dense', published: 0.978, main: true },
  { name: 'convolution, pooling', net: { convolutions: 1 }, length: 'sigmoid', published: 0.9878 },
  { name: 'two of them', net: { convolutions: 2 }, length: 'sigmoid', published: 0.9906 },
  { name: 'with ReLU', net: RELU, length: 'relu', published: 0.9923, main: true },
  { name: 'images moved by a pixel', net: RELU, length: 'relu', moved: true, published: 0.9937, main: true },
  {
    name: 'second layer of 100',
    net: { ...RELU, hidden: [100, 100] },
    ...{ length: 'relu', moved: true, published: 0.9943 },
  },
  {
    name: `two of ${wide}, dropout`,
    net: { ...RELU, hidden: [wide, wide], dropout: 0.5 },
    ...{ length: 'dropout', moved: true, published: 0.996, main: true },
  },
];

/**
 * Rates are the chapter's, and so is the decay: its lambda of 0.1, over the 5000 steps of an epoch, is the factor of a weight.
 */
const STEP = { batchSize: 10, optimizer: 'sgd', momentum: 0, schedule: 'cosine' };
const SIGMOID = { ...STEP, lr: 0.1 };
const RECTIFIED = { ...STEP, lr: 0.03, weightDecay: 0.1 / 5000 };

/** Each picture, and four more moved by a pixel. */
function expand(dataset) {
  const moves = [{ right: 1 }, { right: -1 }, { down: 1 }, { down: -1 }];
  return joined([dataset, ...moves.map((move) => placed(dataset, move))]);
}

export async function run({ sizes, digits, trainAll }) {
  const { train, test, data } = await digits(sizes);
  const expandedSet = expand(train);
  const steps = rowsOf(sizes).filter(({ main }) => main || sizes.steps === 'all');
  const jobs = steps.map(({ name, net, length, moved = false }) => {
    const dataset = moved ? expandedSet : train;
    const epochs = Math.max(1, Math.round(sizes[length] / dataset.length));
    const how = net.activation === 'relu' ? RECTIFIED : SIGMOID;
    const options = { epochs, validation: test, ...how };
    return { label: name, build: () => new NielsenNet(net), dataset, options };
  });
  const trained = (await trainAll(jobs.toReversed())).toReversed(); // the longest first
  const rows = trained.map(({ model, history }, i) => {
    const parameters = model.parameters().reduce((total, { size }) => total + size, 0);
    model.dispose();
    const { dataset, options } = jobs[i];
    return {
      ...{ name: steps[i].name, parameters, images: dataset.length, epochs: options.epochs },
      ...{ accuracy: history.at(-1).valAccuracy, published: steps[i].published },
    };
  });
  const [first, last] = [rows[0].accuracy, rows.at(-1).accuracy];
  const relu = rows.find(({ name }) => name === 'with ReLU').accuracy;
  return {
    title: 'From one hidden layer to a deep network',
    claim:
      'convolutions, ReLU, more data and dropout, one after the other, take a network from 97.80 % of the test digits to 99.60 %',
    source: 'Nielsen 2015, "Neural Networks and Deep Learning", chapter 6',
    data,
    columns: [
      { key: 'name', title: 'network, each with one thing more', format: 'text' },
      { key: 'parameters', title: 'parameters', format: 'count' },
      { key: 'images', title: 'images', format: 'count' },
      { key: 'epochs', title: 'epochs', format: 'count' },
      { key: 'accuracy', title: 'test accuracy', format: 'percent' },
      { key: 'published', title: 'published (MNIST)', format: 'percent' },
    ],
    rows,
    figures: { first, relu, last },
    holds: first < relu && relu < last,
    verdict: `From ${(100 * first).toFixed(2)} % by way of ${(100 * relu).toFixed(2)} % (two convolutions, ReLU) to ${(100 * last).toFixed(2)} %.`,
    svg: await picture(rows, data),
  };
}

function picture(rows, data) {
  const series = ['here', 'published, MNIST'];
  return bars({
    title: 'Test error, each network with one idea more than the one above',
    subtitle: data,
    values: rows.flatMap(({ name, accuracy, published }) => [
      { name, series: series[0], value: 1 - accuracy },
      { name, series: series[1], value: 1 - published },
    ]),
    x: { title: 'test error', format: '~%', textFormat: '.2%' },
    series,
  });
}
