// SPDX-License-Identifier: Apache-2.0
// Ways to make feature maps smaller: max, average and L2 pooling, convolutions with stride, and none. The rest of the network
// is the same; each is trained several times.
import { nn } from 'receptive';
import { bars } from './harness/charts.mjs';
import { mean, percent } from './harness/report.mjs';

export const summary = 'max, average and L2 pooling, strided convolutions, and none';

export const sizes = {
  quick: { trainSize: 1500, testSize: 1000, images: 6000, runs: 1 },
  full: { trainSize: 10_000, testSize: 10_000, images: 60_000, runs: 3 },
};

/** What follows a convolution of `maps` maps and its ReLU; `factor` is what it divides sides by. */
const WAYS = [
  { key: 'max', name: 'max', factor: 2, make: () => [new nn.MaxPool2d(2)] },
  { key: 'average', name: 'average', factor: 2, make: () => [new nn.AvgPool2d(2)] },
  { key: 'l2', name: 'L2', factor: 2, make: () => [new nn.LPPool2d(2, 2)] },
  {
    ...{ key: 'strided', name: 'strided convolution', factor: 2 },
    make: (maps) => [new nn.Conv2d(maps, maps, { kernelSize: 2, stride: 2 }), new nn.ReLU()],
  },
  { key: 'none', name: 'none', factor: 1, make: () => [] },
];

function network({ factor, make }) {
  const conv = (channels, maps) => new nn.Conv2d(channels, maps, { kernelSize: 5, padding: 2 });
  return new nn.Sequential(
    ...[conv(1, 8), new nn.ReLU(), ...make(8)],
    ...[conv(8, 16), new nn.ReLU(), ...make(16)],
    ...[
      new nn.Flatten(),
      new nn.Linear((28 / factor ** 2) ** 2 * 16, 64),
      new nn.ReLU(),
      new nn.Linear(64, 10),
    ],
  );
}

export async function run({ sizes, seed, digits, trainAll }) {
  const { runs } = sizes;
  const { train, test, data } = await digits(sizes);
  const epochs = Math.round(sizes.images / train.length);
  const options = {
    epochs,
    batchSize: 50,
    optimizer: 'adamw',
    lr: 0.002,
    schedule: 'cosine',
    validation: test,
  };
  const tries = WAYS.toReversed().flatMap((way) =>
    Array.from({ length: runs }, (_, i) => ({ way, seed: seed + i })),
  );
  const trained = await trainAll(
    tries.map(({ way, seed }) => ({
      ...{ label: `${way.name}, seed ${seed}`, build: () => network(way), dataset: train, options, seed },
    })),
  );
  const found = trained.map(({ model, history, seconds }, i) => {
    const layers = nn.summarize(model, train.imageShape);
    const total = (key) => layers.reduce((sum, layer) => sum + layer[key], 0);
    const entry = { key: tries[i].way.key, error: 1 - history.at(-1).valAccuracy, seconds: seconds / epochs };
    const size = { parameters: total('parameters'), multiplyAdds: total('multiplyAdds') };
    model.dispose();
    return { ...entry, ...size };
  });
  const rows = WAYS.map(({ key, name }) => {
    const own = found.filter((entry) => entry.key === key);
    const errors = own.map(({ error }) => error);
    const { parameters, multiplyAdds } = own[0];
    return {
      ...{ key, name, parameters, multiplyAdds, error: mean(errors) },
      ...{ lowest: Math.min(...errors), highest: Math.max(...errors) },
    };
  });
  const of = (key) => rows.find((row) => row.key === key);
  const [max, average, none] = ['max', 'average', 'none'].map(of);
  const figures = {
    ...{ max: max.error, average: average.error, none: none.error },
    parameters: none.parameters / max.parameters,
    work: none.multiplyAdds / max.multiplyAdds,
  };
  return {
    title: 'Ways of pooling',
    claim: 'pooling makes later layers need far fewer parameters, and maxima serve better than averages',
    source:
      'Nielsen 2015, chapter 6; Scherer, Müller and Behnke 2010; for strided convolutions Springenberg and others 2015',
    data,
    columns: [
      { key: 'name', title: 'pooling', format: 'text' },
      { key: 'parameters', title: 'parameters', format: 'count' },
      { key: 'multiplyAdds', title: 'multiply-adds an image', format: 'count' },
      { key: 'error', title: runs === 1 ? 'test error' : `test error, mean of ${runs}`, format: 'percent' },
      { key: 'lowest', title: 'lowest', format: 'percent' },
      { key: 'highest', title: 'highest', format: 'percent' },
    ],
    rows,
    figures,
    holds: figures.parameters > 4 && figures.work > 1 && max.error < average.error,
    verdict: `Max pooling errs in ${percent(max.error)}, average pooling in ${percent(average.error)}; without pooling it is ${percent(none.error)} with ${figures.parameters.toFixed(1)} times the parameters and ${figures.work.toFixed(1)} times the arithmetic.`,
    svg: await bars({
      title: 'Test error by way of pooling',
      subtitle: data,
      values: rows.map(({ name, error }) => ({ name, value: error })),
      x: {
        title: runs === 1 ? 'test error' : `test error, mean of ${runs} trainings`,
        format: '~%',
        textFormat: '.2%',
      },
    }),
  };
}
