// SPDX-License-Identifier: Apache-2.0
// Every gradient of the convolution family against finite differences in double precision (eps 1e-6, atol 1e-5, rtol 1e-3),
// over fixed tables of stride, padding, dilation, groups, depthwise, 1x1, odd sizes and batch 1; and the float32 kernels
// against the matrix of patches.
import { describe, expect, test } from 'vitest';
import { multiply } from '../../lib/ops/arithmetic.js';
import { convTranspose2d } from '../../lib/ops/conv-transpose2d.js';
import { conv1d } from '../../lib/ops/conv1d.js';
import { conv2d } from '../../lib/ops/conv2d.js';
import { sum } from '../../lib/ops/reduce.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { convCases } from '../helpers/conv-cases.js';
import {
  type ConvolutionCase,
  conv1dCases,
  conv2dCases,
  transposedCases,
} from '../helpers/convolution-cases.js';
import { expectRelative } from '../helpers/golden.js';
import { gradcheck } from '../helpers/gradients.js';
import { operand } from '../helpers/operands.js';
import { expectFlatMemory } from '../helpers/refusal.js';

type Convolve<Options> = (x: Tensor, weight: Tensor, bias: Tensor | null, options: Options) => Tensor;

const tolerances = { eps: 1e-6, atol: 1e-5, rtol: 1e-3 };

/** x, weight and, in every second case, a bias. */
function operandsOf({ x, weight, outC }: ConvolutionCase<unknown>, i: number, dtype: 'float32' | 'float64') {
  const operands = [operand(x, i, dtype), operand(weight, i + 1, dtype)];
  return i % 2 === 0 ? [...operands, operand([outC], i + 2, dtype)] : operands;
}

function checkAll<Options>(cases: readonly ConvolutionCase<Options>[], convolve: Convolve<Options>) {
  cases.forEach((item, i) => {
    try {
      expectFlatMemory(() =>
        tensorScope(() => {
          const body = (x: Tensor, weight: Tensor, bias?: Tensor) =>
            convolve(x, weight, bias ?? null, item.options);
          gradcheck(body as (...inputs: Tensor[]) => Tensor, operandsOf(item, i, 'float64'), tolerances);
        }),
      );
    } catch (error) {
      throw new Error(`${item.name}: ${error}`, { cause: error });
    }
  });
}

/** Output and gradients of a case. */
function resultsOf<Options>(
  item: ConvolutionCase<Options>,
  i: number,
  convolve: Convolve<Options>,
  extra: object,
): Float32Array[] {
  return tensorScope(() => {
    const operands = operandsOf(item, i, 'float32');
    const [x, weight, bias] = operands;
    const y = convolve(x, weight, bias ?? null, { ...item.options, ...extra });
    y.backward(Float32Array.from({ length: y.size }, (_, at) => Math.sin(at * 1.7)));
    const results = [y.data(), ...operands.map(({ grad }) => grad?.data() ?? new Float32Array())];
    for (const { grad } of operands) grad?.dispose();
    return results as Float32Array[];
  });
}

function compareAll<Options>(cases: readonly ConvolutionCase<Options>[], convolve: Convolve<Options>) {
  cases.forEach((item, i) => {
    const wanted = resultsOf(item, i, convolve, { algorithm: 'im2col' });
    resultsOf(item, i, convolve, {}).forEach((result, r) => {
      expectRelative(result, wanted[r], 1e-5, `${item.name}, result ${r}`);
    });
  });
}

describe('gradients', () => {
  test('have more than 240 fixed cases, at least 120 of them with dilation, groups or padding by rule', () => {
    const cases = [...conv2dCases, ...conv1dCases, ...transposedCases];
    const isPlain = ({ options: { groups = 1, dilation = 1, padding } }: (typeof cases)[number]) =>
      groups === 1 && dilation === 1 && typeof padding !== 'string';
    expect(cases.filter((item) => !isPlain(item)).length).toBeGreaterThanOrEqual(120);
    expect(cases.length + convCases.length).toBeGreaterThan(240);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  test('of conv2d', () => checkAll(conv2dCases, conv2d));
  test('of conv1d', () => checkAll(conv1dCases, conv1d));
  test('of convTranspose2d', () => checkAll(transposedCases, convTranspose2d));

  test('of convTranspose2d, one at a time', () => {
    for (let wanted = 0; wanted < 3; wanted++) {
      expectFlatMemory(() =>
        tensorScope(() => {
          const all = [operand([1, 3, 2, 4]), operand([4, 2, 3, 1], 1), operand([2], 2)];
          const inputs = all.map((input, i) => (i === wanted ? input : input.detach()));
          gradcheck((x, w, b) => convTranspose2d(x, w, b, { stride: 2, groups: 2 }), inputs, tolerances);
        }),
      );
    }
  });
});

describe('the kernels and the matrix of patches agree', () => {
  test('for conv2d', () => compareAll(conv2dCases, conv2d));
  test('for conv1d', () => compareAll(conv1dCases, conv1d));
  test('for convTranspose2d', () => compareAll(transposedCases, convTranspose2d));
});

test('a transposed convolution is the adjoint of the convolution with its weight', () =>
  tensorScope(() => {
    const options = { stride: [2, 3], padding: [1, 2], dilation: [2, 1], groups: 2 } as const;
    const weight = operand([6, 3, 4, 2], 1).detach();
    const x = operand([2, 9, 11, 4]).detach();
    const y = conv2d(x, weight, null, options);
    const z = operand(y.shape, 2).detach();
    const back = convTranspose2d(z, weight, null, { ...options, outputPadding: [0, 2] });
    const dot = (a: Tensor, b: Tensor) => sum(multiply(a, b)).item();
    expect(back.shape).toEqual(x.shape);
    expect(dot(y, z)).toBeCloseTo(dot(x, back), 10);
  }));
