// SPDX-License-Identifier: Apache-2.0
// What the planner makes of a captured step changes no bit: results in place, fusions, updates in one pass, and
// activations computed a second time to keep within a memory budget. Folding for inference changes the last digits.
import { describe, expect, it } from 'vitest';
import {
  add,
  LeNet5,
  manualSeed,
  nn,
  noGrad,
  ResNetCifar,
  sum,
  type Tensor,
  tensor,
  tensorScope,
} from '../../lib/index.js';
import { ResidualBlock } from '../../lib/models/residual-block.js';
import { capturePlan } from '../../lib/train/plan.js';
import { pattern } from '../helpers/pattern.js';
import { BATCH, describeNets, type Net } from './captured-net.js';

/** Branches that the fusions must tell apart: a projected shortcut, a sum without a ReLU, a result with two readers. */
class Branches extends nn.Module {
  readonly block = new ResidualBlock(3, 8, 2, 'project');
  readonly conv = new nn.Conv2d(8, 8, { kernelSize: 3, padding: 1 });
  readonly bn = new nn.BatchNorm2d(8);
  readonly tanh = new nn.Tanh();
  readonly relu = new nn.ReLU();
  readonly dropout = new nn.Dropout(0.3);
  readonly pool = new nn.GlobalAvgPool2d();
  readonly fc = new nn.Linear(8, 10);

  override forward(x: Tensor): Tensor {
    const y = this.block.call(x);
    const normalized = this.bn.call(this.conv.call(y));
    const both = add(this.relu.call(normalized), this.tanh.call(normalized));
    return this.fc.call(this.pool.call(this.dropout.call(add(both, y))));
  }
}

/** A pool whose windows overlap behind a ReLU, and one that is not all that reads what comes out of one. */
class Pools extends nn.Module {
  readonly conv1 = new nn.Conv2d(2, 7, { kernelSize: 3 });
  readonly conv2 = new nn.Conv2d(7, 40, { kernelSize: 3, padding: 1 });
  readonly conv3 = new nn.Conv2d(40, 5, { kernelSize: 1 });
  readonly relu = new nn.ReLU();
  readonly overlapping = new nn.MaxPool2d({ kernelSize: 3, stride: 2, padding: 1 });
  readonly same = new nn.MaxPool2d({ kernelSize: 3, stride: 1, padding: 1 });
  readonly pool = new nn.GlobalAvgPool2d();
  readonly fc = new nn.Linear(5, 10);

  override forward(x: Tensor): Tensor {
    const y = this.overlapping.call(this.relu.call(this.conv1.call(x)));
    const z = this.relu.call(this.conv2.call(y));
    const both = add(this.same.call(z), z);
    return this.fc.call(this.pool.call(this.relu.call(this.conv3.call(both))));
  }
}

/** What lies between convolutions over interleaved images goes to instructions that want the other layout too. */
class Readers extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 5, { kernelSize: 3, stride: 2, padding: 1 });
  readonly conv2 = new nn.Conv2d(5, 7, { kernelSize: 3, padding: 1 });
  readonly conv3 = new nn.Conv2d(7, 16, { kernelSize: 2, padding: 1 });
  readonly tanh = new nn.Tanh();
  readonly overlapping = new nn.MaxPool2d({ kernelSize: 3, stride: 2 });
  readonly pool = new nn.MaxPool2d(2);
  readonly flatten = new nn.Flatten();
  readonly fc = new nn.Linear(32, 10);

  override forward(x: Tensor): Tensor {
    const y = this.conv1.call(x); // [7, 6, 5]
    const both = add(this.conv2.call(this.tanh.call(y)), this.conv2.call(y)); // [7, 6, 7]
    const z = this.pool.call(this.conv3.call(this.overlapping.call(both))); // [3, 2, 7], [4, 3, 16], [2, 1, 16]
    return this.fc.call(this.flatten.call(z));
  }
}

/** Sums behind convolutions: of two, of one and what it read, with and without a ReLU, over other layouts. */
class Sums extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 20, { kernelSize: 3, padding: 1 });
  readonly conv2 = new nn.Conv2d(20, 20, { kernelSize: 3, padding: 1, algorithm: 'winograd' });
  readonly conv3 = new nn.Conv2d(20, 33, { kernelSize: 3, stride: 2, padding: 1 });
  readonly conv4 = new nn.Conv2d(20, 33, { kernelSize: 1, stride: 2, bias: false });
  readonly conv5 = new nn.Conv2d(33, 5, { kernelSize: 1 });
  readonly conv6 = new nn.Conv2d(5, 5, { kernelSize: 3, padding: 1 });
  readonly relu = new nn.ReLU();
  readonly pool = new nn.GlobalAvgPool2d();
  readonly fc = new nn.Linear(5, 10);

  override forward(x: Tensor): Tensor {
    const a = this.conv1.call(x);
    const b = this.relu.call(add(this.conv2.call(a), a));
    const c = this.relu.call(add(this.conv3.call(b), this.conv4.call(b)));
    const d = this.conv5.call(c);
    const e = add(d, this.conv6.call(d)); // over interleaved images in a batch of 16, which add nothing
    return this.fc.call(this.pool.call(add(e, this.conv5.call(c))));
  }
}

const nets: Record<string, Net> = {
  'a net of sums behind convolutions': {
    inputShape: [9, 7, 3],
    make: () => new Sums(),
    fusions: {
      'conv2d + add': 2,
      'conv2d + add + relu': 2,
      'copies left out': 4,
      'updates in one pass': 13,
    },
  },
  'a net of sums behind convolutions on blocks of 16 images': {
    batch: 16,
    inputShape: [9, 7, 3],
    make: () => new Sums(),
    fusions: {
      'conv2d + add': 1,
      'conv2d + add + relu': 2,
      'conv2d on interleaved images': 3,
      'copies left out': 4,
      'updates in one pass': 13,
    },
  },
  'LeNet-5': {
    inputShape: [28, 28, 1],
    make: () => new LeNet5(),
    fusions: {
      'conv2d + relu': 2,
      'maxPool2d gradient + conv2d gradients': 2,
      'relu gradient + bias gradient': 2,
      'relu gradient at the pooled size': 2,
      'updates in one pass': 10,
    },
  },
  'LeNet-5 on blocks of 16 images': {
    batch: 32,
    inputShape: [28, 28, 1],
    make: () => new LeNet5(),
    fusions: {
      'conv2d + maxPool2d': 2,
      'conv2d + relu': 2,
      'conv2d on interleaved images': 2,
      'maxPool2d gradient + conv2d gradients': 2,
      'relu gradient + bias gradient': 2,
      'relu gradient at the pooled size': 2,
      'updates in one pass': 10,
    },
  },
  'LeNet-5 of 1998 on blocks of 16 images': {
    batch: 16,
    inputShape: [14, 14, 2],
    make: () => new LeNet5({ inputShape: [14, 14, 2], variant: '1998' }),
    fusions: { 'conv2d on interleaved images': 5, 'updates in one pass': 10 },
  },
  'interleaved images with two readers, strides and overlapping windows': {
    batch: 16,
    inputShape: [13, 11, 3],
    make: () => new Readers(),
    fusions: {
      'conv2d on interleaved images': 11,
      'conv2d + maxPool2d': 1,
      'copies left out': 1,
      'updates in one pass': 8,
    },
  },
  'ResNet-20': {
    inputShape: [12, 12, 3],
    make: () => new ResNetCifar(20, { inputShape: [12, 12, 3] }),
    fusions: {
      'batchNorm2d + relu': 10,
      'batchNorm2d + add + relu': 9,
      'copies left out': 9,
      'relu gradient + batchNorm2d gradient': 10,
      'residual gradients + relu gradient + batchNorm2d gradient': 9,
      'updates in one pass': 59,
    },
  },
  'a net with branches and dropout': {
    inputShape: [9, 9, 3],
    make: () => new Branches(),
    fusions: {
      'batchNorm2d + relu': 1,
      'batchNorm2d + add + relu': 1,
      'copies left out': 3,
      'relu gradient + batchNorm2d gradient': 1,
      'residual gradients + relu gradient + batchNorm2d gradient': 1,
      'updates in one pass': 15,
    },
  },
  'a net of overlapping pools': {
    inputShape: [11, 11, 2],
    make: () => new Pools(),
    fusions: {
      'copies left out': 1,
      'conv2d + relu': 3,
      'relu gradient at the pooled size': 1,
      'updates in one pass': 8,
    },
  },
  'a net with dropout': {
    inputShape: [10, 10, 2],
    make: () =>
      new nn.Sequential(
        new nn.Conv2d(2, 6, { kernelSize: 3 }),
        new nn.BatchNorm2d(6),
        new nn.Sigmoid(),
        new nn.MaxPool2d(2),
        new nn.Dropout(0.4),
        new nn.Flatten(),
        new nn.Linear(96, 20),
        new nn.ReLU(),
        new nn.Linear(20, 10),
      ),
    fusions: { 'relu gradient + bias gradient': 1, 'updates in one pass': 8 },
  },
};

describeNets(nets);

describe('a plan for inference', () => {
  /** The sum of weighted logits, as one number, for two batches. */
  function scores(fold: boolean) {
    manualSeed(4);
    using model = new ResNetCifar(20, { inputShape: [12, 12, 3] });
    const shape = [BATCH, 12, 12, 3];
    const size = BATCH * 12 * 12 * 3;
    tensorScope(() => noGrad(() => model.call(tensor(Float32Array.from(pattern(2, size)), shape))));
    model.eval();
    const images = Float32Array.from(pattern(3, 2 * size));
    const streams = { images: { shape, dtype: 'float32' } } as const;
    const forward = ({ images }: Readonly<Record<string, Tensor>>) => ({ total: sum(model.call(images)) });
    using plan = noGrad(() => capturePlan(forward, streams, [], { fold }));
    const { outputs } = plan.runSync({ steps: 2, streams: { images } });
    // Folded weights are made anew for each run: a changed weight counts.
    const before = [...outputs.total];
    const { weight } = model.bn1;
    weight?.write(weight.data().map((value) => value * 1.5));
    const after = plan.runSync({ steps: 1, streams: { images } }).outputs.total[0];
    return { before, after, plan: plan.describe() };
  }

  it('folds batch normalisation into convolutions when it is asked to', () => {
    const plain = scores(false);
    const folded = scores(true);
    expect(plain.plan.fusions['batchNorm2d into conv2d']).toBeUndefined();
    expect(folded.plan.fusions).toMatchObject({
      'batchNorm2d into conv2d': 19,
      'conv2d + relu': 10,
      'conv2d + add + relu': 9,
    });
    const all = [...plain.before, plain.after];
    [...folded.before, folded.after].forEach((value, i) => {
      expect(Math.abs(value - all[i])).toBeLessThan(1e-5 * (1 + Math.abs(all[i])));
    });
    expect(Math.abs(plain.after - plain.before[0])).toBeGreaterThan(1e-3);
  });

  it('refuses options that mean nothing', () => {
    using model = new nn.Linear(2, 1);
    const streams = { x: { shape: [1, 2], dtype: 'float32' } } as const;
    for (const options of [
      { maxMemory: -1 },
      { maxMemory: Number.NaN },
      { fold: 'yes' as unknown as boolean },
    ]) {
      expect(() =>
        noGrad(() => capturePlan(({ x }) => ({ y: sum(model.call(x)) }), streams, [], options)),
      ).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
    }
  });
});
