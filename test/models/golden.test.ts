// SPDX-License-Identifier: Apache-2.0
// A whole network against PyTorch: its state dict loaded from the file PyTorch's users save, three steps of SGD.
import { describe, expect, it } from 'vitest';
import { exchangeLayouts } from '../../lib/io/pytorch-layout.js';
import { loadWeights } from '../../lib/io/weights.js';
import { LeNet5 } from '../../lib/models/lenet5.js';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { SGD } from '../../lib/optim/sgd.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { expectRelative, goldenPath, readGolden } from '../helpers/golden.js';

const golden = readGolden<{ lr: number; momentum: number; weightDecay: number }>('lenet5-steps.safetensors');

async function threeSteps(dtype: 'float32' | 'float64', tolerance: number): Promise<void> {
  using model = new LeNet5({ inputShape: [16, 20, 3] }).to(dtype);
  await loadWeights(model, goldenPath('lenet5.safetensors'));
  using optimizer = new SGD(model.parameters(), golden.cases);
  using _scope = tensorScope();
  const { data, shape } = golden.channelsLastAt('images');
  const images = tensor(data, shape, { dtype });
  const labels = tensor(golden.at('labels').data);
  const layouts = exchangeLayouts(model);
  for (let step = 0; step < 3; step++) {
    optimizer.zeroGrad();
    const logits = model.call(images);
    const loss = crossEntropy(logits, labels);
    expectRelative(logits.data(), golden.at(`logits.${step}`).data, tolerance, `logits of step ${step}`);
    expectRelative(loss.data(), golden.at(`loss.${step}`).data, tolerance, `loss of step ${step}`);
    loss.backward();
    for (const [name, parameter] of model.namedParameters()) {
      if (step > 0 || golden.names(`grad.${name}`).length === 0) continue;
      const grad = layouts.get(name)!.toFile(parameter.grad!.data());
      expectRelative(grad, golden.at(`grad.${name}`).data, tolerance, `gradient of ${name}`);
    }
    optimizer.step();
  }
  for (const [name, parameter] of model.namedParameters()) {
    const wanted = golden.at(`after.${name}`);
    expect(layouts.get(name)!.fileShape).toEqual(wanted.shape);
    expectRelative(
      layouts.get(name)!.toFile(parameter.data()),
      wanted.data,
      tolerance,
      `${name} after 3 steps`,
    );
  }
}

describe('LeNet-5 along three steps of SGD', () => {
  it('is the network of PyTorch in double precision', async () => {
    await threeSteps('float64', 1e-7); // the file holds float32
  });

  it.each(nativeInfo().supportedIsas)('stays within 1e-5 of it in float32 on %s', async (isa) => {
    const before = nativeInfo().isa;
    setIsa(isa);
    try {
      await threeSteps('float32', 1e-5);
    } finally {
      setIsa(before);
    }
  });
});
