// SPDX-License-Identifier: Apache-2.0
// What the first layer learned, as pictures: its kernels before and after training, and what they answer to an X and an O.
import { conv2d, evaluate, loadDataset, manualSeed, noGrad, tensor, tensorScope, XONet } from 'receptive';
import { describeData } from './harness/context.mjs';
import { heatMaps } from './harness/pictures.mjs';

export const summary = 'what the first layer of a network learned that tells an X from an O, as pictures';

export const sizes = {
  quick: { trainSize: 2000, testSize: 500, epochs: 4 },
  full: { trainSize: 8000, testSize: 2000, epochs: 20 },
};

const KERNEL = 5;
const TAPS = KERNEL ** 2;

/** Directions in which a kernel may look, a twelfth of a half turn apart. */
const ANGLES = Array.from({ length: 12 }, (_, i) => (i * Math.PI) / 12);

/** Subtracts the mean and divides by the length. */
function unit(values) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const centred = Array.from(values, (value) => value - mean);
  const length = Math.hypot(...centred) || 1;
  return centred.map((value) => value / length);
}

/** Lines and edges through or near the middle, one for each direction, place and kind: 5x5, centred, of length 1. */
const TEMPLATES = ANGLES.flatMap((angle) =>
  [-1, -0.5, 0, 0.5, 1].flatMap((offset) =>
    ['line', 'edge'].map((kind) => {
      const values = Array.from({ length: TAPS }, (_, i) => {
        const [x, y] = [(i % KERNEL) - 2, Math.floor(i / KERNEL) - 2];
        const distance = -x * Math.sin(angle) + y * Math.cos(angle) - offset;
        const bell = Math.exp(-(distance ** 2) / 2);
        return kind === 'line' ? bell : distance * bell;
      });
      return { kind, degrees: (180 * angle) / Math.PI, values: unit(values) };
    }),
  ),
);

/** The template that explains most of a kernel's variance, and which share. */
function bestTemplate(kernel) {
  const centred = unit(kernel);
  return TEMPLATES.map((template) => {
    const product = template.values.reduce((sum, value, i) => sum + value * centred[i], 0);
    return { ...template, share: product ** 2 };
  }).reduce((a, b) => (b.share > a.share ? b : a));
}

const kernelsOf = (model) => {
  const values = model.conv1.weight.data();
  return Array.from({ length: values.length / TAPS }, (_, map) => values.slice(map * TAPS, (map + 1) * TAPS));
};

/** What each kernel answers to a picture, without bias: [maps][h * w]. */
function answersOf(model, pixels, [height, width]) {
  return tensorScope(() =>
    noGrad(() => {
      const answer = conv2d(tensor(pixels, [1, height, width, 1]), model.conv1.weight, null, { padding: 2 });
      const maps = answer.shape[3];
      const values = answer.data();
      return Array.from({ length: maps }, (_, map) => values.filter((_, i) => i % maps === map));
    }),
  );
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export async function run({ sizes, seed, trainAll }) {
  const { epochs } = sizes;
  const { train, test } = await loadDataset('xo', {
    seed,
    trainSize: sizes.trainSize,
    testSize: sizes.testSize,
  });
  manualSeed(seed);
  const untrained = new XONet();
  const before = kernelsOf(untrained);
  untrained.dispose();
  const options = {
    epochs,
    batchSize: 32,
    optimizer: 'adamw',
    lr: 0.003,
    schedule: 'cosine',
    validation: test,
  };
  const [{ model }] = await trainAll([{ label: 'XONet', build: () => new XONet(), dataset: train, options }]);
  const { accuracy } = await evaluate(model, test);
  const after = kernelsOf(model);
  const shares = [before, after].map((kernels) => kernels.map((kernel) => bestTemplate(kernel)));
  const figures = {
    accuracy,
    before: mean(shares[0].map(({ share }) => share)),
    after: mean(shares[1].map(({ share }) => share)),
  };
  const svg = picture(model, test, { before, after, shares });
  model.dispose();
  return {
    title: 'What the first layer of an X and O network learned',
    claim:
      'the kernels of the first layer become small pieces of the strokes, such as diagonal lines, and answer where those lie in the image',
    source:
      'Rohrer 2016, "How do Convolutional Neural Networks work?"; LeCun, Bottou, Bengio and Haffner 1998, section II',
    data: describeData('xo (X and O drawn by the library)', train, test),
    columns: [
      { key: 'map', title: 'kernel', format: 'count' },
      { key: 'kind', title: 'most like a', format: 'text' },
      { key: 'degrees', title: 'degrees, clockwise', format: 'count' },
      { key: 'before', title: 'line or edge in it before', format: 'percent' },
      { key: 'after', title: 'after training', format: 'percent' },
    ],
    rows: after.map((_, map) => {
      const { kind, degrees, share } = shares[1][map];
      return { map, kind, degrees, before: shares[0][map].share, after: share };
    }),
    figures,
    holds: figures.after > figures.before,
    verdict: `A straight line or edge explains ${(100 * figures.before).toFixed(0)} % of the variance of the first weights on average, and ${(100 * figures.after).toFixed(0)} % after training to ${(100 * accuracy).toFixed(2)} % of the test images.`,
    svg,
  };
}

function picture(model, { images, labels, imageShape, normalization }, { before, after, shares }) {
  const [height, width] = imageShape;
  const kernel = (values, map) => ({ name: `kernel ${map}`, values, height: KERNEL, width: KERNEL });
  const [{ mean }, { std }] = [normalization, normalization];
  const rows = [
    { label: 'Kernels before training', pictures: before.map(kernel) },
    {
      label: 'Kernels after training',
      pictures: after.map((values, map) => {
        const { kind, degrees } = shares[1][map];
        return { ...kernel(values, map), name: `${map}: ${kind}, ${degrees.toFixed(0)}°` };
      }),
    },
  ];
  for (const [label, name] of ['an X', 'an O'].entries()) {
    const index = labels.indexOf(label);
    const size = height * width;
    const bytes = images.subarray(index * size, (index + 1) * size);
    const pixels = Float32Array.from(bytes, (byte) => (byte / 255 - mean[0]) / std[0]);
    const answers = answersOf(model, pixels, imageShape);
    rows.push({
      label: `What they answer to ${name}`,
      pictures: answers.map((values, map) => ({ name: `kernel ${map}`, values, height, width })),
    });
  }
  return heatMaps({
    title: 'The first layer of the X and O network',
    subtitle: 'blue below 0, orange above; each picture has a scale of its own',
    rows,
    side: 100,
  });
}
