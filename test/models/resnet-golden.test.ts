// SPDX-License-Identifier: Apache-2.0
// The CIFAR ResNets against PyTorch: names and shapes of the state, logits, loss, gradients and running statistics of one
// training step, and logits afterwards.
import { describe, expect, it } from 'vitest';
import { exchangeLayouts } from '../../lib/io/pytorch-layout.js';
import { ResNetCifar } from '../../lib/models/resnet-cifar.js';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import { Conv2d } from '../../lib/nn/conv2d.js';
import { crossEntropy } from '../../lib/ops/cross-entropy.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { channelsLast, expectRelative, readGolden } from '../helpers/golden.js';
import { pattern, patternState } from '../helpers/pattern.js';

interface Case {
  readonly depth: 18 | 20;
  readonly size: number;
  readonly batch: number;
  readonly salt: number;
  /** Names and PyTorch's shapes. */
  readonly state: readonly [name: string, shape: number[]][];
  readonly gradients: readonly string[];
  readonly statistics: readonly string[];
}

const golden = readGolden<Case[]>('resnet-cifar.safetensors');
const caseOf = (depth: number) => golden.cases.find((item) => item.depth === depth) as Case;

/** The model with PyTorch's state. */
function filled({ depth, size, state }: Case, dtype: 'float32' | 'float64'): ResNetCifar {
  const model = new ResNetCifar(depth, { inputShape: [size, size, 3] }).to(dtype);
  const layouts = exchangeLayouts(model);
  const own = model.stateDict();
  expect([...own.keys()].map((name) => [name, layouts.get(name)!.fileShape])).toEqual(state);
  state.forEach(([name, shape], salt) => {
    const target = own.get(name)!;
    using source = tensor(layouts.get(name)!.fromFile(patternState(name, shape, salt)), target.shape, {
      dtype: target.dtype,
    });
    target.write(source.data());
  });
  return model;
}

/** Makes every convolution a direct one. */
function computeDirectly(model: ResNetCifar): void {
  for (const module of model.modules()) if (module instanceof Conv2d) module.algorithm = 'direct';
}

function oneStep(item: Case, dtype: 'float32' | 'float64', tolerance: number, direct = false): void {
  const { depth, size, batch, salt } = item;
  using model = filled(item, dtype);
  if (direct) computeDirectly(model);
  using _scope = tensorScope();
  const layouts = exchangeLayouts(model);
  const { data, shape } = channelsLast({
    shape: [batch, 3, size, size],
    data: pattern(salt, batch * size * size * 3),
  });
  const images = tensor(data, shape, { dtype });
  const labels = tensor(Int32Array.from({ length: batch }, (_, i) => i));
  const logits = model.call(images);
  const loss = crossEntropy(logits, labels);
  const wanted = (name: string) => golden.at(`${depth}.${name}`).data;
  expectRelative(logits.data(), wanted('logits'), tolerance, 'logits');
  expectRelative(loss.data(), wanted('loss'), tolerance, 'loss');
  loss.backward();
  const parameters = new Map(model.namedParameters());
  for (const name of item.gradients) {
    const grad = layouts.get(name)!.toFile(parameters.get(name)!.grad!.data());
    expectRelative(grad, wanted(`grad.${name}`), tolerance, `gradient of ${name}`);
  }
  const buffers = new Map(model.namedBuffers());
  for (const name of item.statistics) {
    expectRelative(buffers.get(name)!.data(), Array.from(wanted(`after.${name}`), Number), tolerance, name);
  }
  expectRelative(model.eval().call(images).data(), wanted('eval'), tolerance, 'logits in use');
}

it("has the same logits by Winograd's algorithm as by direct convolution", () => {
  const item = caseOf(18);
  using model = filled(item, 'float32');
  using _scope = tensorScope();
  const { batch, size, salt } = item;
  const images = tensor(pattern(salt, batch * size * size * 3), [batch, size, size, 3], { dtype: 'float32' });
  const winograd = model.call(images).data();
  using fresh = filled(item, 'float32'); // the first call moved the running statistics
  computeDirectly(fresh);
  expectRelative(winograd, fresh.call(images).data(), 1e-5, 'logits');
  expect(winograd).not.toEqual(fresh.call(images).data());
});

describe('one training step', () => {
  it("is PyTorch's in double precision", () => {
    oneStep(caseOf(20), 'float64', 1e-12);
  });

  it.each(nativeInfo().supportedIsas)('stays close to it in float32 on %s', (isa) => {
    const before = nativeInfo().isa;
    setIsa(isa);
    try {
      oneStep(caseOf(20), 'float32', 1e-5);
      // Of the many activations one is so near to 0 that the rounding of Winograd's algorithm (7e-6 in the gradients
      // behind it) moves it to the other side of a ReLU, and the gradients before it with it: 1e-2, for a reason.
      if (isa !== 'scalar') oneStep(caseOf(18), 'float32', 1e-5, true);
    } finally {
      setIsa(before);
    }
  });
});
