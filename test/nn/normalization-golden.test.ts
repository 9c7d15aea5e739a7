// SPDX-License-Identifier: Apache-2.0
// Normalisations against PyTorch's numbers, exact in float64, rounded in float32 on every instruction set; and a network of
// them, and of all activations, along 20 steps of SGD.
import { describe, expect, it } from 'vitest';
import { exchangeLayouts } from '../../lib/io/pytorch-layout.js';
import { loadWeights } from '../../lib/io/weights.js';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import * as nn from '../../lib/nn/index.js';
import { elu, gelu, hardswish, leakyRelu, silu, softplus } from '../../lib/ops/activations.js';
import { add } from '../../lib/ops/arithmetic.js';
import { batchNorm1d } from '../../lib/ops/batch-norm.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { groupNorm } from '../../lib/ops/group-norm.js';
import { layerNorm } from '../../lib/ops/layer-norm.js';
import { type LocalResponseNormOptions, localResponseNorm } from '../../lib/ops/local-response-norm.js';
import { flatten } from '../../lib/ops/reshape.js';
import { logSoftmax } from '../../lib/ops/softmax.js';
import { SGD } from '../../lib/optim/sgd.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { expectRelative, goldenPath, readGolden } from '../helpers/golden.js';
import { checkGoldenCase, type GoldenCase, type Operands } from '../helpers/golden-case.js';

interface Options extends LocalResponseNormOptions {
  readonly training?: boolean;
  readonly momentum?: number;
  readonly eps?: number;
  readonly numGroups?: number;
  readonly normalizedShape?: readonly number[];
  readonly size?: number;
}

interface Case extends GoldenCase {
  readonly op: keyof typeof ops;
  readonly options: Options;
}

const ops = {
  batchNorm1d: (of: Operands, options: Options) => {
    const { input, weight = null, bias = null, runningMean, runningVar } = of;
    return batchNorm1d(input, weight, bias, { ...options, runningMean, runningVar });
  },
  groupNorm: ({ input, weight, bias }: Operands, { numGroups = 1, ...options }: Options) =>
    groupNorm(input, numGroups, weight, bias, options),
  layerNorm: ({ input, weight, bias }: Operands, { normalizedShape = [], ...options }: Options) =>
    layerNorm(input, normalizedShape, weight, bias, options),
  localResponseNorm: ({ input }: Operands, { size = 0, ...options }: Options) =>
    localResponseNorm(input, size, options),
};

const golden = readGolden<Case[]>('normalization.safetensors');
const NAMES = { inputs: ['input', 'weight', 'bias'], statistics: ['runningMean', 'runningVar'] };

describe("PyTorch's numbers", () => {
  it('cover every normalisation', () => {
    expect(new Set(golden.cases.map(({ op }) => op))).toEqual(new Set(Object.keys(ops)));
  });

  it.each(golden.cases.map((item) => [item.name, item] as const))('%s', (_, item) => {
    checkGoldenCase(golden, item, NAMES, ({ op, options }, of) => ops[op](of, options));
  });
});

/** The network of make_normalization_golden.py. */
class LayersNet extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 8, { kernelSize: 3, padding: 1 });
  readonly gn = new nn.GroupNorm(4, 8);
  readonly prelu = new nn.PReLU(8);
  readonly lrn = new nn.LocalResponseNorm(3, { alpha: 0.5, k: 2 });
  readonly conv2 = new nn.Conv2d(8, 6, { kernelSize: 3, padding: 1 });
  readonly ln = new nn.LayerNorm([4, 5, 6]);
  readonly fc1 = new nn.Linear(120, 16, { flattenedFrom: [4, 5, 6] });
  readonly bn = new nn.BatchNorm1d(16);
  readonly fc2 = new nn.Linear(16, 12);
  readonly ln2 = new nn.LayerNorm(12, { bias: false });
  readonly fc3 = new nn.Linear(12, 12);
  readonly prelu2 = new nn.PReLU();
  readonly fc4 = new nn.Linear(12, 5);

  override forward(image: Tensor): Tensor {
    let x = this.lrn.call(this.prelu.call(this.gn.call(this.conv1.call(image))));
    x = flatten(gelu(this.ln.call(this.conv2.call(x))));
    x = silu(this.bn.call(this.fc1.call(x)));
    x = elu(this.ln2.call(hardswish(this.fc2.call(x))));
    x = this.prelu2.call(add(softplus(this.fc3.call(x)), leakyRelu(x, 0.1)));
    return logSoftmax(this.fc4.call(gelu(x, { approximate: 'tanh' })));
  }
}

describe('a network of all layers along 20 steps of SGD', () => {
  const steps = readGolden<{ lr: number; momentum: number; weightDecay: number }>(
    'layers-net-steps.safetensors',
  );

  async function follow(dtype: 'float32' | 'float64', tolerance: number): Promise<void> {
    using model = new LayersNet().to(dtype);
    await loadWeights(model, goldenPath('layers-net.safetensors'));
    using optimizer = new SGD(model.parameters(), steps.cases);
    using _scope = tensorScope();
    const layouts = exchangeLayouts(model);
    const inFile = (name: string, value: Tensor) => layouts.get(name)!.toFile(value.data());
    const labels = steps.at('labels').data as Int32Array;
    const losses: number[] = [];
    for (let step = 0; step < 20; step++) {
      using _step = tensorScope();
      optimizer.zeroGrad();
      const { data, shape } = steps.channelsLastAt(`images.${step % 4}`);
      const loss = crossEntropy(
        model.call(tensor(data, shape, { dtype })),
        tensor(labels.slice((step % 4) * 6, (step % 4) * 6 + 6)),
      );
      loss.backward();
      losses.push(loss.item());
      for (const [name, parameter] of step === 0 ? model.namedParameters() : []) {
        const wanted = steps.at(`grad.${name}`).data;
        // The gradient of a bias in front of a batch normalisation is 0 but for rounding.
        const scale = name === 'fc1.bias' ? 1e3 : 1;
        const actual = inFile(name, parameter.grad!);
        if (scale === 1) expectRelative(actual, wanted, tolerance, `gradient of ${name}`);
        else expect(Math.max(...Array.from(actual, Math.abs))).toBeLessThan(tolerance);
      }
      optimizer.step();
    }
    optimizer.zeroGrad();
    expectRelative(losses, steps.at('losses').data, tolerance, 'losses');
    for (const [name, value] of model.stateDict()) {
      const wanted = steps.at(`after.${name}`);
      expect(layouts.get(name)!.fileShape).toEqual(wanted.shape);
      expectRelative(inFile(name, value), wanted.data, tolerance, `${name} after 20 steps`);
    }
  }

  it('is that of PyTorch in double precision', async () => {
    await follow('float64', 1e-11);
  });

  it.each(nativeInfo().supportedIsas)('stays within 1e-5 of it in float32 on %s', async (isa) => {
    const before = nativeInfo().isa;
    setIsa(isa);
    try {
      await follow('float32', 1e-5);
    } finally {
      setIsa(before);
    }
  });
});
