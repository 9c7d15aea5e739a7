// SPDX-License-Identifier: Apache-2.0
// The planner over the whole convolution family: fusions, layouts and folding are right for groups and dilation too.
import { describe, expect, it } from 'vitest';
import {
  add,
  manualSeed,
  nn,
  noGrad,
  reshape,
  sum,
  type Tensor,
  tensor,
  tensorScope,
} from '../../lib/index.js';
import { capturePlan } from '../../lib/train/plan.js';
import { pattern } from '../helpers/pattern.js';
import { describeNets } from './captured-net.js';

/** The convolution family: depthwise, grouped and dilated layers before what is fused with a convolution. */
class Family extends nn.Module {
  readonly depthwise = new nn.Conv2d(3, 6, { kernelSize: 3, padding: 'same', dilation: 2, groups: 3 });
  readonly grouped = new nn.Conv2d(6, 8, { kernelSize: 3, stride: 2, padding: 1, groups: 2, bias: false });
  readonly bn = new nn.BatchNorm2d(8);
  readonly up = new nn.ConvTranspose2d(8, 4, { kernelSize: 2, stride: 2, groups: 4 });
  readonly dilated = new nn.Conv2d(4, 20, { kernelSize: 3, dilation: 2 });
  readonly relu = new nn.ReLU();
  readonly maxPool = new nn.MaxPool2d(2);
  readonly mixing = new nn.Conv2d(20, 20, { kernelSize: 3, padding: 1, groups: 20 });
  readonly around = new nn.Conv2d(20, 20, { kernelSize: 3, padding: 2, dilation: 2 });
  readonly along = new nn.Conv1d(20, 18, { kernelSize: 3, padding: 1 });
  readonly flatten = new nn.Flatten();
  readonly fc = new nn.Linear(144, 10);

  override forward(x: Tensor): Tensor {
    const y = this.relu.call(this.bn.call(this.grouped.call(this.relu.call(this.depthwise.call(x)))));
    const z = this.maxPool.call(this.relu.call(this.dilated.call(this.relu.call(this.up.call(y)))));
    const sums = add(this.mixing.call(z), z); // a depthwise convolution takes in no sum, a dilated one does
    const both = this.relu.call(add(this.around.call(sums), sums));
    const [n, h, w, c] = both.shape; // [n, 4, 2, 20]
    return this.fc.call(this.flatten.call(this.relu.call(this.along.call(reshape(both, [n, h * w, c])))));
  }
}

/** Few channels and blocks of 16 images, where only convolutions in one group and undilated are interleaved. */
class Mixed extends nn.Module {
  readonly first = new nn.Conv2d(3, 6, { kernelSize: 3, padding: 1 });
  readonly depthwise = new nn.Conv2d(6, 6, { kernelSize: 3, padding: 1, groups: 6 });
  readonly dilated = new nn.Conv2d(6, 7, { kernelSize: 3, padding: 2, dilation: 2 });
  readonly last = new nn.Conv2d(7, 8, { kernelSize: 3, padding: 1 });
  readonly relu = new nn.ReLU();
  readonly pool = new nn.MaxPool2d(2);
  readonly flatten = new nn.Flatten();
  readonly fc = new nn.Linear(8 * 6 * 8, 10);

  override forward(x: Tensor): Tensor {
    const y = this.relu.call(this.depthwise.call(this.relu.call(this.first.call(x))));
    const z = this.relu.call(this.last.call(this.pool.call(this.relu.call(this.dilated.call(y)))));
    return this.fc.call(this.flatten.call(z));
  }
}

describeNets({
  'interleaved images between convolutions that take none': {
    batch: 16,
    inputShape: [12, 16, 3],
    make: () => new Mixed(),
    fusions: {
      'conv2d + relu': 4,
      'conv2d on interleaved images': 5,
      'relu gradient at the pooled size': 1,
      'updates in one pass': 10,
    },
  },
  'convolutions in groups, dilated, transposed and of sequences': {
    batch: 16,
    inputShape: [12, 8, 3],
    make: () => new Family(),
    fusions: {
      'conv2d + relu': 3,
      'conv2d + add + relu': 1,
      'copies left out': 2,
      'batchNorm2d + relu': 1,
      'relu gradient + batchNorm2d gradient': 1,
      'relu gradient + bias gradient': 1,
      'relu gradient at the pooled size': 1,
      'updates in one pass': 17,
    },
  },
});

describe('batch normalisation', () => {
  it('is folded into convolutions in groups and with dilation', () => {
    const total = (fold: boolean) => {
      manualSeed(4);
      using model = new nn.Sequential(
        new nn.Conv2d(6, 6, { kernelSize: 3, groups: 6, padding: 1, bias: false }),
        new nn.BatchNorm2d(6),
        new nn.ReLU(),
        new nn.Conv2d(6, 9, { kernelSize: 3, groups: 3, dilation: 2 }),
        new nn.BatchNorm2d(9),
      );
      const shape = [2, 9, 8, 6];
      const images = Float32Array.from(pattern(2, 2 * 9 * 8 * 6));
      tensorScope(() => noGrad(() => model.call(tensor(images, shape)))); // moves the running statistics
      model.eval();
      const forward = ({ images }: Readonly<Record<string, Tensor>>) => ({ total: sum(model.call(images)) });
      const streams = { images: { shape, dtype: 'float32' } } as const;
      using plan = noGrad(() => capturePlan(forward, streams, [], { fold }));
      const { outputs } = plan.runSync({ steps: 1, streams: { images } });
      return { value: outputs.total[0], fusions: plan.describe().fusions };
    };
    const [plain, folded] = [total(false), total(true)];
    expect(folded.fusions).toMatchObject({ 'batchNorm2d into conv2d': 2, 'conv2d + relu': 1 });
    expect(Math.abs(folded.value - plain.value)).toBeLessThan(1e-5 * (1 + Math.abs(plain.value)));
    expect(Math.abs(plain.value)).toBeGreaterThan(0.1);
  });
});
