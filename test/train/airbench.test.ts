// SPDX-License-Identifier: Apache-2.0
// The recipe of airbench: its network, and 12 steps of all that the recipe has, against PyTorch.
import { describe, expect, it } from 'vitest';
import {
  Airbench,
  ArrayDataset,
  airbenchRecipe,
  evaluate,
  type FitOptions,
  fit,
  loadDataset,
  manualSeed,
  type nn,
  tensor,
  weightsSha256,
} from '../../lib/index.js';
import { expectRelative, readGolden } from '../helpers/golden.js';
import { refused } from '../helpers/refused.js';
import { linearModel } from './tiny.js';

interface Case {
  readonly widths: readonly [number, number, number];
  readonly batchSize: number;
  readonly epochs: number;
  readonly freezeAfter: number;
  readonly every: number;
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly normLr: number;
  readonly labelSmoothing: number;
}
const golden = readGolden<Case>('airbench.safetensors');
const { widths, freezeAfter, every, ...numbers } = golden.cases;
const images = Float32Array.from(golden.channelsLastAt('images').data);
const dataset = new ArrayDataset({
  ...{ images, labels: Int32Array.from(golden.at('labels').data), imageShape: [20, 20, 3] },
  classNames: [...'0123456789'],
});

/** The network as the golden training begins. */
function begun(): Airbench {
  const model = new Airbench({ inputShape: [20, 20, 3], widths });
  for (const [name, own] of model.stateDict()) {
    const { data } = golden.channelsLastAt(`start.${name}`);
    own.write(own.dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data));
  }
  model.whitening.weight.requiresGrad = false;
  return model;
}

const recipe = (model: Airbench): FitOptions => ({
  ...numbers,
  ...{ optimizer: 'sgd', nesterov: true, schedule: 'triangular', shuffle: false },
  lookahead: { every, alpha: (progress) => 1 - 0.95 ** 5 * progress ** 3, buffers: true },
  freezeAfter: { epochs: freezeAfter, parameters: [model.whitening.bias as NonNullable<unknown>] as never },
});

const expectEnd = (model: nn.Module, tolerance: number) => {
  for (const [name, own] of model.stateDict()) {
    expectRelative(own.data(), golden.channelsLastAt(`end.${name}`).data, tolerance, name);
  }
};

describe('the network', () => {
  it('has as many parameters as airbench94, of which PyTorch trains the same', () => {
    using model = new Airbench();
    expect(model.parameterCount).toBe(1_972_792);
    using images = tensor(
      new Float32Array(4 * 32 * 32 * 3).map((_, i) => Math.sin(i * i)),
      [4, 32, 32, 3],
    );
    model.whiten(images);
    const trained = model.parameters().filter(({ requiresGrad }) => requiresGrad);
    expect(trained.reduce((sum, { size }) => sum + size, 0)).toBe(1_971_352);
    expect([...model.call(images).shape]).toEqual([4, 10]);
  });

  it('hands on its inputs in the first outputs of each 3x3 convolution', () => {
    manualSeed(2);
    using model = new Airbench({ widths: [30, 20, 40] });
    const weights = [...model.stateDict()].filter(([name]) => /conv\d\.weight/.test(name));
    expect(weights.map(([, { shape }]) => shape[0])).toEqual([30, 30, 20, 20, 40, 40]);
    for (const [, weight] of weights) {
      const [outputs, , , inputs] = weight.shape;
      const values = weight.data();
      for (let out = 0; out < outputs; out++) {
        const own = values.subarray(out * 9 * inputs, (out + 1) * 9 * inputs);
        const isOne = own.every((value, i) => value === (i === 4 * inputs + out ? 1 : 0));
        expect(isOne).toBe(out < inputs);
      }
    }
  });

  it('refuses other numbers of blocks, and images that are too small', () => {
    expect(refused(() => new Airbench({ widths: [1, 2] as never })).expected).toMatch(/three blocks/);
    expect(refused(() => new Airbench({ widths: [1, 0, 2] })).code).toBe('ERR_ARGUMENT');
    expect(refused(() => new Airbench({ inputShape: [8, 32, 3] })).code).toBe('ERR_ARGUMENT');
    expect(refused(() => new Airbench({ width: 3 } as never)).code).toBe('ERR_ARGUMENT');
  });
});

describe('a training by the recipe', () => {
  it.each([true, false])("goes PyTorch's way, captured: %s", async (capture) => {
    using model = begun();
    const losses: number[] = [];
    const onBatch = ({ loss }: { loss: number }) => losses.push(loss);
    const result = await fit(model, dataset, { ...recipe(model), capture, onBatch });
    expect(result.captured).toBe(capture);
    expectRelative(losses, golden.at('losses').data, 1e-5, 'losses');
    expectEnd(model, 1e-4);
    expect(model.whitening.bias?.requiresGrad).toBe(true);
  });

  it('has the same bits captured, eager, and for 1, 2 and 3 threads', async () => {
    const hashes = new Set<string>();
    for (const way of [{ capture: false }, { threads: 1 }, { threads: 2 }, { threads: 3 }]) {
      using model = begun();
      await fit(model, dataset, { ...recipe(model), ...way });
      hashes.add(weightsSha256(model));
    }
    expect(hashes.size).toBe(1);
  });

  it('is one call, which learns', async () => {
    const { train, test } = await loadDataset('glyphs', { trainSize: 1000, testSize: 300, seed: 1 });
    manualSeed(1);
    using model = new Airbench({ inputShape: train.imageShape, widths: [16, 32, 32] });
    const options = airbenchRecipe(model, train, { batchSize: 100 });
    expect(options).toMatchObject({ batchSize: 100, momentum: 0.85, lr: expect.closeTo(0.14648, 4) });
    await fit(model, train, { ...options, augment: undefined, epochs: 8, seed: 1 });
    const { accuracy } = await evaluate(model, test);
    expect(accuracy).toBeGreaterThan(0.9);
  });

  it('is for its own network', () => {
    using other = linearModel();
    expect(refused(() => airbenchRecipe(other as never, dataset)).expected).toMatch(/Airbench/);
    using model = begun();
    const before = weightsSha256(model);
    expect(refused(() => airbenchRecipe(model, dataset, { batchSize: 0 })).code).toBe('ERR_ARGUMENT');
    expect(refused(() => airbenchRecipe(model, dataset, { momentum: 1 })).code).toBe('ERR_ARGUMENT');
    expect(refused(() => airbenchRecipe(model, {} as never)).code).toBe('ERR_ARGUMENT');
    expect(weightsSha256(model)).toBe(before);
  });
});
