// SPDX-License-Identifier: Apache-2.0
import { afterAll, describe, expect, it } from 'vitest';
import { nativeInfo, setNumThreads } from '../../lib/native/bindings.js';
import { clipGradNorm, clipGradValue, SGD } from '../../lib/optim/index.js';
import { tensor, zeros } from '../../lib/tensor/create.js';
import { memory } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { pattern } from '../helpers/pattern.js';
import { expectRefusal } from '../helpers/refusal.js';

const { threads } = nativeInfo();
afterAll(() => setNumThreads(threads));

/** Parameters with these gradients. */
function withGradients(...gradients: number[][]): Tensor[] {
  return gradients.map((values) => {
    const parameter = zeros([values.length], { requiresGrad: true });
    parameter.grad = tensor(values);
    return parameter;
  });
}

const gradients = (parameters: readonly Tensor[]) =>
  parameters.map(({ grad }) => [...(grad as Tensor).data()]);

describe('clipGradNorm', () => {
  it('scales all gradients together, and gives the norm before', () => {
    const parameters = [...withGradients([3, 0], [0, -4]), zeros([2], { requiresGrad: true })];
    expect(clipGradNorm(parameters, 1).item()).toBe(5);
    expect(gradients(parameters.slice(0, 2))).toEqual([
      [expect.closeTo(0.6, 6), 0],
      [0, expect.closeTo(-0.8, 6)],
    ]);
    expect(parameters[2].grad).toBeNull();
    expect(clipGradNorm(parameters, 1).item()).toBeCloseTo(1, 5);
  });

  it('leaves gradients whose norm is below it, to the bit', () => {
    const parameters = withGradients([0.1, 0.2]);
    const before = gradients(parameters);
    clipGradNorm(parameters, 0.5);
    expect(gradients(parameters)).toEqual(before);
  });

  it('has the same bits for 1, 2 and 3 threads', () => {
    const seen = [1, 2, 3].map((count) => {
      setNumThreads(count);
      const parameters = withGradients(Array.from(pattern(3, 70_000)), Array.from(pattern(4, 17)));
      const norm = clipGradNorm(parameters, 0.01).item();
      return JSON.stringify([norm, gradients(parameters)]);
    });
    expect(new Set(seen).size).toBe(1);
  });

  it('shows NaN and Infinity in the norm, and in all gradients', () => {
    for (const bad of [NaN, Infinity]) {
      const parameters = withGradients([1, bad], [2]);
      expect(clipGradNorm(parameters, 1).item()).toBe(bad);
      expect(gradients(parameters).flat().some(Number.isNaN)).toBe(true);
    }
  });

  it('of nothing is 0', () => {
    expect(clipGradNorm([], 1).item()).toBe(0);
    expect(clipGradNorm([zeros([2], { requiresGrad: true })], 1).item()).toBe(0);
  });

  it('leaves no tensor behind but the norm', () => {
    const parameters = withGradients([1, 2]);
    const before = memory().tensors;
    clipGradNorm(parameters, 1).dispose();
    expect(memory().tensors).toBe(before);
  });
});

describe('clipGradValue', () => {
  it('keeps each element within its bounds', () => {
    const parameters = withGradients([3, 0.25], [-4, NaN]);
    clipGradValue(parameters, 0.5);
    expect(gradients(parameters)).toEqual([
      [0.5, 0.25],
      [-0.5, NaN],
    ]);
  });
});

describe('an update with clipped gradients', () => {
  it('leaves the gradients as they are', () => {
    const parameters = withGradients([3, 4]);
    using sgd = new SGD(parameters, { lr: 1 });
    sgd.update({ clipGradNorm: 1 });
    expect(gradients(parameters)).toEqual([[3, 4]]);
    expect([...parameters[0].data()].map((value) => value.toFixed(5))).toEqual(['-0.60000', '-0.80000']);
  });
});

describe('clipping refuses', () => {
  const parameters = withGradients([3, 4], [1]);
  it.each([
    ['a norm of 0', () => clipGradNorm(parameters, 0), /maxNorm above 0/],
    ['a norm of NaN', () => clipGradNorm(parameters, NaN), /maxNorm above 0/],
    ['an infinite norm', () => clipGradNorm(parameters, Infinity), /maxNorm above 0/],
    ['a negative value', () => clipGradValue(parameters, -1), /clipValue above 0/],
    ['what is no list', () => clipGradNorm(parameters[0] as never, 1), /array of parameters/],
    ['what is no tensor', () => clipGradValue([1] as never, 1), /array of parameters/],
  ])('%s', (_, body, expected) => {
    expectRefusal(body, 'ERR_ARGUMENT', { expected });
    expect(gradients(parameters)).toEqual([[3, 4], [1]]);
  });

  it('a gradient that was disposed, before any is changed', () => {
    const [first, second] = withGradients([3, 4], [1]);
    second.grad?.dispose();
    expectRefusal(() => clipGradValue([first, second], 1), 'ERR_DISPOSED');
    expectRefusal(() => clipGradNorm([first, second], 1), 'ERR_DISPOSED');
    expect(gradients([first])).toEqual([[3, 4]]);
  });
});
