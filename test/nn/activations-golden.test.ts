// SPDX-License-Identifier: Apache-2.0
// Activations against PyTorch's numbers: exact in float64, rounded in float32 on every instruction set; and what becomes of
// NaN, infinities and zeros.
import { describe, expect, it } from 'vitest';
import * as nn from '../../lib/nn/index.js';
import {
  elu,
  type GeluOptions,
  gelu,
  hardswish,
  leakyRelu,
  relu,
  relu6,
  type SoftplusOptions,
  sigmoid,
  silu,
  softplus,
  tanh,
} from '../../lib/ops/activations.js';
import { prelu } from '../../lib/ops/prelu.js';
import { logSoftmax, softmax } from '../../lib/ops/softmax.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { readGolden } from '../helpers/golden.js';
import { checkGoldenCase, type GoldenCase, type Operands, onEveryIsa } from '../helpers/golden-case.js';

interface Case extends GoldenCase {
  readonly op: keyof typeof ops;
  readonly options: { alpha?: number; negativeSlope?: number } & GeluOptions & SoftplusOptions;
  readonly special?: boolean;
}

const layerOf: Record<string, (options: Case['options']) => nn.Module> = {
  elu: ({ alpha }) => new nn.ELU(alpha),
  gelu: (options) => new nn.GELU(options),
  hardswish: () => new nn.Hardswish(),
  leakyRelu: ({ negativeSlope }) => new nn.LeakyReLU(negativeSlope),
  logSoftmax: () => new nn.LogSoftmax(),
  relu: () => new nn.ReLU(),
  relu6: () => new nn.ReLU6(),
  sigmoid: () => new nn.Sigmoid(),
  silu: () => new nn.SiLU(),
  softmax: () => new nn.Softmax(),
  softplus: (options) => new nn.Softplus(options),
  tanh: () => new nn.Tanh(),
};

const ops = {
  elu: ({ input }: Operands, { alpha }: Case['options']) => elu(input, alpha),
  gelu: ({ input }: Operands, options: Case['options']) => gelu(input, options),
  hardswish: ({ input }: Operands) => hardswish(input),
  leakyRelu: ({ input }: Operands, { negativeSlope }: Case['options']) => leakyRelu(input, negativeSlope),
  logSoftmax: ({ input }: Operands) => logSoftmax(input),
  prelu: ({ input, weight }: Operands) => prelu(input, weight),
  relu: ({ input }: Operands) => relu(input),
  relu6: ({ input }: Operands) => relu6(input),
  sigmoid: ({ input }: Operands) => sigmoid(input),
  silu: ({ input }: Operands) => silu(input),
  softmax: ({ input }: Operands) => softmax(input),
  softplus: ({ input }: Operands, options: Case['options']) => softplus(input, options),
  tanh: ({ input }: Operands) => tanh(input),
};

const golden = readGolden<Case[]>('activations.safetensors');
const run = ({ op, options }: Case, of: Operands): Tensor => ops[op](of, options);
const named = (special: boolean) =>
  golden.cases
    .filter((item) => (item.special ?? false) === special)
    .map((item) => [`${item.name} ${JSON.stringify(item.options)}`, item] as const);

describe("PyTorch's numbers", () => {
  it('cover every activation', () => {
    expect(new Set(golden.cases.map(({ op }) => op))).toEqual(new Set(Object.keys(ops)));
  });

  it.each(named(false))('%s', (_, item) => {
    checkGoldenCase(golden, item, { inputs: ['input', 'weight'] }, run);
  });

  it.each(named(false).filter(([, { op }]) => op !== 'prelu'))(
    '%s as a layer',
    (_, { name, op, options }) => {
      tensorScope(() => {
        const { data, shape } = golden.channelsLastAt(`${name}.input`);
        const x = tensor(data, shape, { dtype: 'float64' });
        expect(layerOf[op](options).call(x).data()).toEqual(ops[op]({ input: x }, options).data());
      });
    },
  );
});

describe('NaN, infinities, zeros and the ends of float32, as PyTorch has them in double precision', () => {
  /** Rounded to float32, NaN for NaN; `bound` is relative to the expected number, or to 1 where it is less. */
  function expectAlike(actual: ArrayLike<number>, wanted: ArrayLike<number>, bound: number, what: string) {
    expect(actual.length).toBe(wanted.length);
    for (let i = 0; i < wanted.length; i++) {
      const [value, expected] = [actual[i], Math.fround(wanted[i])];
      if (Object.is(value, expected)) continue;
      const allowed = bound * Math.max(1, Math.abs(expected));
      if (Number.isFinite(expected) && Math.abs(value - expected) <= allowed) continue;
      throw new Error(`${what}: element ${i} is ${value} instead of ${expected}`);
    }
  }

  it.each(named(true))('%s', (_, item) => {
    const { data, shape } = golden.at(`${item.name}.input`);
    const outputs = golden.at(`${item.name}.output`).data;
    const gradients = golden.at(`${item.name}.input.grad`).data;
    const compare = (dtype: 'float32' | 'float64', bound: number, what: string) =>
      tensorScope(() => {
        const input = tensor(data, shape, { dtype, requiresGrad: true });
        const y = run(item, { input });
        expectAlike(Float32Array.from(y.data()), outputs, bound, `${what}, output`);
        y.backward(dtype === 'float32' ? new Float32Array(y.size).fill(1) : new Float64Array(y.size).fill(1));
        // Where x is NaN, some derivatives are those of one of the sides of a bend: which, is nobody's business.
        const dx = Float32Array.from(input.grad?.data() ?? []);
        const known = gradients.map((value, i) =>
          shape.length === 1 && Number.isNaN(data[i]) ? dx[i] : value,
        );
        expectAlike(dx, known, bound, `${what}, gradient`);
        input.grad?.dispose();
      });
    compare('float64', 0, 'float64');
    onEveryIsa((isa) => compare('float32', 2e-7, isa));
  });
});
