// SPDX-License-Identifier: Apache-2.0
// A shared weight's gradient is the sum over its connections. The first layer of a small network once as a convolution, once
// with weights of their own for every place, which begin alike; the rest of the network is the same. In double precision,
// and the convolution's once more by the float32 kernels.
import * as rc from 'receptive';
import { heatMaps } from './harness/pictures.mjs';

export const summary = "a shared weight's gradient is the sum of the gradients of its connections";

export const sizes = { quick: { images: 5 }, full: { images: 200 } };

const KERNEL = 5;
const TAPS = KERNEL ** 2;
const ones = new Float64Array(TAPS).fill(1);

/** What lies below the kernel at each place: [places, 25], row by row. */
function patchesOf(pixels, [height, width]) {
  const [outH, outW] = [height - KERNEL + 1, width - KERNEL + 1];
  const patches = new Float64Array(outH * outW * TAPS);
  let next = 0;
  for (let y = 0; y < outH; y++) {
    for (let x = 0; x < outW; x++) {
      for (let i = 0; i < KERNEL; i++) {
        for (let j = 0; j < KERNEL; j++) patches[next++] = pixels[(y + i) * width + x + j];
      }
    }
  }
  return { patches, outH, outW };
}

/** The convolution's gradient: [25]. */
function sharedGradient(pixels, [height, width], kernel, lossOf, dtype = 'float64') {
  const weight = rc.tensor(kernel, [1, KERNEL, KERNEL, 1], { dtype, requiresGrad: true });
  lossOf(rc.conv2d(rc.tensor(pixels, [1, height, width, 1], { dtype }), weight)).backward();
  return Float64Array.from(weight.grad.data());
}

/** Gradients of weights of their own for every place: [places, 25]. */
function unsharedGradients(pixels, shape, kernel, lossOf) {
  const { patches, outH, outW } = patchesOf(pixels, shape);
  const places = outH * outW;
  const own = Float64Array.from({ length: places * TAPS }, (_, i) => kernel[i % TAPS]);
  const weights = rc.tensor(own, [places, TAPS], { requiresGrad: true });
  const products = rc.multiply(rc.tensor(patches, [places, TAPS]), weights);
  const sums = rc.matmul(products, rc.tensor(ones, [TAPS, 1]));
  lossOf(rc.reshape(sums, [1, outH, outW, 1])).backward();
  return Float64Array.from(weights.grad.data());
}

/** What follows the first layer, with random weights: tanh, average pooling, a linear layer, cross-entropy. */
function makeHead([height, width], classes) {
  const features = Math.floor((height - KERNEL + 1) / 2) * Math.floor((width - KERNEL + 1) / 2);
  const weight = rc.scale(rc.randn([classes, features], { dtype: 'float64' }), 0.1).keep();
  return (label) => (answers) => {
    const maps = rc.cast(answers, 'float64');
    const pooled = rc.avgPool2d(rc.tanh(maps), { kernelSize: 2 });
    return rc.crossEntropy(rc.linear(rc.flatten(pooled), weight), rc.tensor(Int32Array.of(label), [1]));
  };
}

/** Both gradients for one image, and the sum over places of the second. */
function gradientsOf(dataset, index, kernel, head) {
  const [height, width] = dataset.imageShape;
  const size = height * width;
  const pixels = Float64Array.from(
    dataset.images.subarray(index * size, (index + 1) * size),
    (byte) => byte / 255,
  );
  return rc.tensorScope(() => {
    const lossOf = head(dataset.labels[index]);
    const shared = sharedGradient(pixels, [height, width], kernel, lossOf);
    const unshared = unsharedGradients(pixels, [height, width], kernel, lossOf);
    const sum = new Float64Array(TAPS);
    for (let i = 0; i < unshared.length; i++) sum[i % TAPS] += unshared[i];
    const single = sharedGradient(pixels, [height, width], kernel, lossOf, 'float32');
    return { pixels, shared, single, unshared, sum };
  });
}

/** The largest difference, over the largest number of the second. */
function relativeError(found, expected) {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...found.map((value, i) => Math.abs(value - expected[i]))) / largest;
}

export async function run({ sizes, seed, digits, progress }) {
  const { train, data } = await digits({ trainSize: sizes.images, testSize: 1 });
  rc.manualSeed(seed);
  const [height, width] = train.imageShape;
  const places = (height - KERNEL + 1) * (width - KERNEL + 1);
  const kernel = Float64Array.from(rc.scale(rc.randn([TAPS], { dtype: 'float64' }), 0.3).data());
  const head = makeHead([height, width], train.classNames.length);
  const worst = { double: 0, single: 0 };
  let first;
  for (let i = 0; i < train.length; i++) {
    progress(`image ${i + 1} of ${train.length}`);
    const gradients = gradientsOf(train, i, kernel, head);
    first ??= gradients;
    worst.double = Math.max(worst.double, relativeError(gradients.shared, gradients.sum));
    worst.single = Math.max(worst.single, relativeError(gradients.single, gradients.sum));
  }
  return {
    title: 'The gradient of a shared weight',
    claim:
      'the gradient of a weight that many connections share is the sum of the gradients that those connections would have by themselves',
    source: 'LeCun, Bottou, Bengio and Haffner 1998, section II; Rumelhart, Hinton and Williams 1986',
    data: data.replace(/ to train with.*$/, ', one after the other'),
    columns: [
      { key: 'tap', title: 'weight (row, column)', format: 'text' },
      { key: 'connections', title: 'connections', format: 'count' },
      { key: 'smallest', title: 'smallest of their gradients', format: 'number' },
      { key: 'largest', title: 'largest', format: 'number' },
      { key: 'sum', title: 'their sum', format: 'exact' },
      { key: 'shared', title: 'gradient when shared', format: 'exact' },
    ],
    rows: Array.from({ length: TAPS }, (_, tap) => {
      const own = Array.from({ length: places }, (_, place) => first.unshared[place * TAPS + tap]);
      return {
        tap: `${Math.floor(tap / KERNEL)}, ${tap % KERNEL}`,
        connections: places,
        ...{ smallest: Math.min(...own), largest: Math.max(...own) },
        ...{ sum: first.sum[tap], shared: first.shared[tap] },
      };
    }),
    figures: { ...worst, images: train.length, connections: places },
    holds: worst.double < 1e-13 && worst.single < 1e-5,
    verdict: `Over ${train.length} images the shared gradient differs from the sum over ${places} connections by at most ${worst.double.toExponential(1)} of the largest one in double precision, and by ${worst.single.toExponential(1)} from float32 kernels. The table is that of the first image.`,
    svg: picture(first, [height, width]),
  };
}

function picture({ pixels, unshared, shared }, [height, width]) {
  const [outH, outW] = [height - KERNEL + 1, width - KERNEL + 1];
  const ofTap = (tap) =>
    Float64Array.from({ length: outH * outW }, (_, place) => unshared[place * TAPS + tap]);
  const middle = (TAPS - 1) / 2;
  return heatMaps({
    title: 'Gradients of connections, and their sums',
    subtitle: 'blue below 0, orange above; each picture has a scale of its own',
    rows: [
      {
        pictures: [
          { name: 'image', values: pixels, height, width, kind: 'pixels' },
          { name: 'weight 0, 0 at each place', values: ofTap(0), height: outH, width: outW },
          { name: 'middle weight at each place', values: ofTap(middle), height: outH, width: outW },
          { name: 'sums: the shared gradient', values: shared, height: KERNEL, width: KERNEL },
        ],
      },
    ],
    side: 168,
  });
}
