// SPDX-License-Identifier: Apache-2.0
// Options of `fit` that recipes are made of: rates of norms, Nesterov's momentum, softer labels, a triangular schedule, parameters
// that are trained at the beginning only. test/train/airbench.test.ts compares all of them together with PyTorch.
import { describe, expect, it } from 'vitest';
import { crossEntropy, type FitOptions, fit, manualSeed, nn, optim, weightsSha256 } from '../../lib/index.js';
import { refused, refusedLater } from '../helpers/refused.js';
import { halves, linearModel, weightsOf } from './tiny.js';

const data = halves(24);
const base = { batchSize: 8, epochs: 3, seed: 1, optimizer: 'sgd', lr: 0.1 } as const satisfies FitOptions;

/** A layer whose norms have something to learn. */
function normed(): nn.Sequential {
  manualSeed(2);
  return new nn.Sequential(
    ...[new nn.Conv2d(1, 3, { kernelSize: 1 }), new nn.BatchNorm2d(3), new nn.ReLU(), new nn.Flatten()],
    new nn.Linear(12, 2),
  );
}

const trained = async (make: () => nn.Module, options: FitOptions) => {
  using model = make();
  await fit(model, data, options);
  return weightsSha256(model);
};

describe('normLr', () => {
  it('is a group of its own, with a decay that takes as much away', async () => {
    const wanted = await trained(normed, { ...base, weightDecay: 0.01, normLr: 8 });
    using model = normed();
    const norm = model.at(1) as nn.BatchNorm2d;
    const norms = norm.parameters();
    const rest = model.parameters().filter((parameter) => !norms.includes(parameter));
    using optimizer = new optim.SGD(
      [
        { params: rest, lr: 0.1, weightDecay: 0.01 },
        { params: norms, lr: 0.8, weightDecay: 0.01 / 8 },
      ],
      { momentum: 0.9 },
    );
    await fit(model, data, { ...base, optimizer, lr: undefined });
    expect(weightsSha256(model)).toBe(wanted);
  });

  it('changes nothing where it is 1, or where there are no norms', async () => {
    expect(await trained(normed, { ...base, normLr: 1 })).toBe(await trained(normed, base));
    expect(await trained(linearModel, { ...base, normLr: 9 })).toBe(await trained(linearModel, base));
  });
});

describe('nesterov', () => {
  it("is sgd's", async () => {
    const wanted = await trained(linearModel, { ...base, momentum: 0.8, nesterov: true });
    using model = linearModel();
    using optimizer = new optim.SGD(model.parameters(), { momentum: 0.8, nesterov: true, lr: 0.1 });
    await fit(model, data, { ...base, optimizer });
    expect(weightsSha256(model)).toBe(wanted);
    expect(wanted).not.toBe(await trained(linearModel, { ...base, momentum: 0.8 }));
  });
});

describe('labelSmoothing', () => {
  it('is that of crossEntropy', async () => {
    const loss: FitOptions['loss'] = (logits, labels) =>
      crossEntropy(logits, labels, { labelSmoothing: 0.2 });
    const smooth = await trained(linearModel, { ...base, labelSmoothing: 0.2 });
    expect(smooth).toBe(await trained(linearModel, { ...base, loss }));
    expect(smooth).not.toBe(await trained(linearModel, base));
    expect(await trained(linearModel, { ...base, labelSmoothing: 0 })).toBe(await trained(linearModel, base));
  });
});

describe('a triangular schedule', () => {
  it('rises and falls in straight lines, then stays', () => {
    const rate = optim.triangular({ steps: 10, peak: 0.4, start: 0.2, end: 0.1 });
    const wanted = [0.2, 0.4, 0.6, 0.8, 1, 0.85, 0.7, 0.55, 0.4, 0.25, 0.1, 0.1];
    expect(wanted.map((_, step) => rate(step, 2) / 2)).toEqual(
      wanted.map((value) => expect.closeTo(value, 12)),
    );
    const falling = optim.triangular({ steps: 4, peak: 0, end: 0 });
    expect([0, 1, 2, 3, 4].map((step) => falling(step))).toEqual([1, 0.75, 0.5, 0.25, 0]);
    const rising = optim.triangular({ steps: 4, peak: 1, start: 0 });
    expect([0, 1, 2, 3].map((step) => rising(step))).toEqual([0, 0.25, 0.5, 0.75]);
  });

  it('refuses what is none', () => {
    for (const options of [
      { steps: 0 },
      { steps: 5, peak: 2 },
      { steps: 5, start: -1 },
      { steps: 5, end: 2 },
    ]) {
      expect(refused(() => optim.triangular(options)).code).toBe('ERR_ARGUMENT');
    }
    expect(refused(() => optim.triangular({ steps: 5, pek: 1 } as never)).hint).toMatch(/peak/);
  });
});

describe('freezeAfter', () => {
  const freezing = (model: nn.Sequential, epochs: number) => {
    const { bias } = model.at(0) as nn.Conv2d;
    return { epochs, parameters: bias === null ? [] : [bias] };
  };

  it.each([true, false])('trains parameters for some epochs only, captured: %s', async (capture) => {
    using model = normed();
    const { bias } = model.at(0) as nn.Conv2d;
    const biases: number[][] = [];
    const onEpoch = () => void biases.push([...(bias?.data() ?? [])]);
    const before = [...(bias?.data() ?? [])];
    // Norms hide a bias from the loss, but for its decay.
    await fit(model, data, { ...base, weightDecay: 0.1, capture, onEpoch, freezeAfter: freezing(model, 2) });
    expect(biases[0]).not.toEqual(before);
    expect(biases[1]).not.toEqual(biases[0]);
    expect(biases[2]).toEqual(biases[1]);
    expect(bias?.requiresGrad).toBe(true);
  });

  it('has the same bits captured and eager, and leaves what was frozen before', async () => {
    const hashes = new Set<string>();
    for (const capture of [true, false]) {
      using model = normed();
      await fit(model, data, { ...base, capture, freezeAfter: freezing(model, 1) });
      hashes.add(weightsSha256(model));
    }
    expect(hashes.size).toBe(1);
    using model = normed();
    const first = (model.at(0) as nn.Conv2d).freeze();
    const before = weightsOf(first);
    await fit(model, data, { ...base, freezeAfter: freezing(model, 1) });
    expect(weightsOf(first)).toEqual(before);
    expect(first.bias?.requiresGrad).toBe(false);
  });
});

describe('what is refused', () => {
  const cases: [string, FitOptions, RegExp][] = [
    ['nesterov of adam', { optimizer: 'adam', nesterov: true }, /only with optimizer 'sgd'/],
    ['nesterov without momentum', { optimizer: 'sgd', momentum: 0, nesterov: true }, /momentum above 0/],
    ['normLr of 0', { normLr: 0 }, /normLr/],
    ['labelSmoothing of 1', { labelSmoothing: 1 }, /labelSmoothing/],
    ['labelSmoothing of another loss', { labelSmoothing: 0.1, loss: 'mse' }, /only with loss 'crossEntropy'/],
    ['freezing nothing', { freezeAfter: { epochs: 1, parameters: [] } }, /parameters of the model/],
    ['freezing at once', { freezeAfter: { epochs: 0, parameters: [] } }, /epochs/],
  ];
  it.each(cases)('%s', async (_, options, expected) => {
    using model = linearModel();
    const before = weightsOf(model);
    const error = await refusedLater(fit(model, data, options));
    expect([error.code, error.expected]).toEqual(['ERR_ARGUMENT', expect.stringMatching(expected)]);
    expect(weightsOf(model)).toEqual(before);
  });

  it("an optimizer of one's own with them, and parameters of another model", async () => {
    using model = linearModel();
    using other = linearModel();
    using optimizer = new optim.SGD(model.parameters());
    for (const options of [{ nesterov: true }, { normLr: 2 }]) {
      const error = await refusedLater(fit(model, data, { optimizer, ...options }));
      expect(error.expected).toMatch(/nesterov and normLr only with the name/);
    }
    const parameters = other.parameters();
    const error = await refusedLater(fit(model, data, { freezeAfter: { epochs: 1, parameters } }));
    expect(error.code).toBe('ERR_ARGUMENT');
  });
});
