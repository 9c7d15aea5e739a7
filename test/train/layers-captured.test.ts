// SPDX-License-Identifier: Apache-2.0
// Activations and normalisations in captured steps: the bits of eager ones, where images are interleaved, results lie over
// what they come from, and activations are computed again, too.
import { afterAll, describe, expect, it } from 'vitest';
import { add, nn, setNumThreads, softplus, type Tensor } from '../../lib/index.js';
import { nativeInfo } from '../../lib/native/bindings.js';
import { captured, describeCaptured, type Net } from './captured-net.js';

const { threads } = nativeInfo();
afterAll(() => setNumThreads(threads));

/** Every activation between convolutions of few channels. */
class Activations extends nn.Module {
  readonly convs = Array.from(
    { length: 4 },
    (_, i) => new nn.Conv2d(i === 0 ? 2 : 5, 5, { kernelSize: 3, padding: 1 }),
  );
  readonly chains = [
    new nn.Sequential(new nn.LeakyReLU(0.1), new nn.ReLU6(), new nn.ELU(0.7)),
    new nn.Sequential(new nn.GELU(), new nn.LeakyReLU(-0.3)),
    new nn.Sequential(new nn.SiLU(), new nn.Hardswish(), new nn.PReLU(5)),
    new nn.Sequential(new nn.GELU({ approximate: 'tanh' }), new nn.Softplus({ beta: 2, threshold: 4 })),
  ];
  readonly pool = new nn.GlobalAvgPool2d();
  readonly fc = new nn.Linear(5, 10);
  readonly slope = new nn.PReLU();
  readonly logSoftmax = new nn.LogSoftmax();

  override forward(image: Tensor): Tensor {
    let x = image;
    this.convs.forEach((conv, i) => {
      x = this.chains[i].call(conv.call(x));
    });
    return this.logSoftmax.call(this.slope.call(this.fc.call(this.pool.call(x))));
  }
}

/** Every normalisation, with results that two read. */
class Normalisations extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 12, { kernelSize: 3, padding: 1 });
  readonly groups = new nn.GroupNorm(3, 12);
  readonly response = new nn.LocalResponseNorm(5, { alpha: 0.5, k: 2 });
  readonly within = new nn.LocalResponseNorm(3, { alpha: 0.5, region: 'withinChannel' });
  readonly conv2 = new nn.Conv2d(12, 8, { kernelSize: 3 });
  readonly pixels = new nn.LayerNorm(8);
  readonly image = new nn.LayerNorm([5, 6, 8], { bias: false });
  readonly channels = new nn.GroupNorm(8, 8, { affine: false });
  readonly fc1 = new nn.Linear(240, 20);
  readonly bn = new nn.BatchNorm1d(20);
  readonly rows = new nn.LayerNorm(20, { elementwiseAffine: false });
  readonly fc2 = new nn.Linear(20, 10);
  readonly flatten = new nn.Flatten();

  override forward(input: Tensor): Tensor {
    const x = this.response.call(this.groups.call(this.conv1.call(input)));
    const y = softplus(this.conv2.call(this.within.call(x)));
    const both = add(this.image.call(this.pixels.call(y)), this.channels.call(y));
    return this.fc2.call(this.rows.call(this.bn.call(this.fc1.call(this.flatten.call(both)))));
  }
}

const nets: Record<string, Net> = {
  activations: {
    inputShape: [7, 6, 2],
    make: () => new Activations(),
    fusions: { 'updates in one pass': 12 },
  },
  'activations on blocks of 16 images': {
    batch: 16,
    inputShape: [7, 6, 2],
    make: () => new Activations(),
    fusions: { 'conv2d on interleaved images': 11, 'updates in one pass': 12 },
  },
  normalisations: {
    inputShape: [7, 8, 3],
    make: () => new Normalisations(),
    fusions: { 'copies left out': 1, 'updates in one pass': 15 },
  },
};

describe.each(Object.entries(nets))('%s, captured', (_, net) => describeCaptured(net));

it.each(Object.entries(nets))('%s: results lie over inputs that end there', (_, net) => {
  expect(captured(net).plan.inPlace).toBeGreaterThan(5);
});
