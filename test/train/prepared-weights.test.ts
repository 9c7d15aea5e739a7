// SPDX-License-Identifier: Apache-2.0
// Weights that a plan packs or transforms once: the bits of the eager pass, also when the weights have changed since.
import { afterEach, describe, expect, it } from 'vitest';
import {
  capture,
  crossEntropy,
  manualSeed,
  nn,
  noGrad,
  optim,
  type Tensor,
  tensor,
  tensorScope,
} from '../../lib/index.js';
import { nativeInfo, setIsa } from '../../lib/native/bindings.js';
import { capturePlan } from '../../lib/train/plan.js';

const { isa, supportedIsas } = nativeInfo();
afterEach(() => setIsa(isa));

const SHAPE = [2, 9, 10, 3] as const;
const pixels = Float32Array.from({ length: 2 * 9 * 10 * 3 }, (_, i) => Math.sin(i * 0.37));

/** A first layer, both of Winograd's tiles, a stride, a pointwise layer; batch normalisation behind some. */
function net(): nn.Sequential {
  manualSeed(11);
  const winograd = (algorithm: 'winograd' | 'direct') =>
    new nn.Conv2d(32, 32, { kernelSize: 3, padding: 1, algorithm });
  const model = new nn.Sequential(
    new nn.Conv2d(3, 32, { kernelSize: 3, padding: 1 }),
    new nn.BatchNorm2d(32),
    new nn.ReLU(),
    winograd('winograd'),
    winograd('direct'),
    new nn.ReLU(),
    new nn.Conv2d(32, 48, { kernelSize: 3, stride: 2 }),
    new nn.BatchNorm2d(48),
    new nn.Conv2d(48, 5, { kernelSize: 1 }),
    new nn.GlobalAvgPool2d(),
  );
  model.eval();
  return model;
}

const recorded = (model: nn.Module, options = {}) =>
  capturePlan(
    ({ images }) => ({ logits: noGrad(() => model.call(images)) }),
    { images: { shape: SHAPE, dtype: 'float32' } },
    [],
    options,
  );
const replayed = (plan: ReturnType<typeof recorded>) =>
  plan.runSync({ steps: 1, streams: { images: pixels } }).outputs.logits;
const eager = (model: nn.Module) =>
  tensorScope(() => noGrad(() => model.call(tensor(pixels, SHAPE)).data() as Float32Array));

describe('prepared weights', () => {
  it('change no bit, and are made once', () => {
    using model = net();
    using plan = recorded(model);
    using short = recorded(model, { maxMemory: 1e9 });
    expect(plan.describe().fusions['weights prepared']).toBe(5);
    expect(short.describe().fusions['weights prepared']).toBeUndefined();
    expect(plan.describe().peakBytes).toBeGreaterThan(short.describe().peakBytes);
    const preparing = () =>
      plan.profile(true).filter(({ op, ms }) => op === 'prepare_conv2d_weight' && ms > 0).length;
    preparing();
    for (let run = 0; run < 3; run++) {
      expect(replayed(plan)).toEqual(eager(model));
      expect(replayed(short)).toEqual(eager(model));
      expect(preparing()).toBe(run === 0 ? 5 : 0);
    }
  });

  it.each([false, true])('follow the weights, whatever changes them (folded: %s)', async (fold) => {
    using model = net();
    using other = net();
    using plan = recorded(model, { fold });
    const expected = () => {
      if (!fold) return eager(model);
      using fresh = recorded(model, { fold });
      return replayed(fresh);
    };
    const seen = new Set([replayed(plan).join()]);
    const sees = () => {
      const logits = replayed(plan);
      expect(logits).toEqual(expected());
      expect(seen.has(logits.join())).toBe(false);
      seen.add(logits.join());
    };
    // values from JavaScript, and another model's weights
    const scaled = (parameter: Tensor, by: number) =>
      Float32Array.from(parameter.data(), (value) => by * value);
    for (const parameter of model.parameters()) parameter.write(scaled(parameter, 1.1));
    sees();
    for (const parameter of other.parameters()) parameter.write(scaled(parameter, 0.9));
    model.loadStateDict(other.stateDict());
    sees();
    // an eager training step
    using optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const labels = Int32Array.of(1, 3);
    tensorScope(() => {
      crossEntropy(model.call(tensor(pixels, SHAPE)), tensor(labels)).backward();
      optimizer.step();
    });
    sees();
    // another plan that trains, on this thread and on its own
    const loss = (logits: Tensor, y: Tensor) => crossEntropy(logits, y);
    using training = capture({ model, optimizer, loss }, { input: [...SHAPE] });
    training.runSync({ images: pixels, labels });
    sees();
    await training.run({ images: pixels, labels }, { steps: 3 });
    sees();
    // running statistics alone
    model.train();
    tensorScope(() => noGrad(() => void model.call(tensor(pixels, SHAPE))));
    model.eval();
    sees();
  });

  it('are made again for another instruction set', () => {
    using model = net();
    using plan = recorded(model);
    for (const name of [...supportedIsas, isa]) {
      setIsa(name);
      expect(replayed(plan)).toEqual(eager(model));
    }
  });

  it('are not made of weights that the step itself changes', () => {
    using model = net();
    model.train();
    using optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const loss = (logits: Tensor, y: Tensor) => crossEntropy(logits, y);
    using training = capture({ model, optimizer, loss }, { input: [...SHAPE] });
    expect(training.describe().planned.fusions['weights prepared']).toBeUndefined();
  });
});
