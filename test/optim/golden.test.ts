// SPDX-License-Identifier: Apache-2.0
// Six steps of each optimizer against PyTorch's: exact in float64, rounded in float32.
import { describe, expect, it } from 'vitest';
import { Adam, AdamW } from '../../lib/optim/adam.js';
import { SGD } from '../../lib/optim/sgd.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { expectRelative, readGolden } from '../helpers/golden.js';

interface Case {
  readonly name: string;
  readonly kind: 'SGD' | 'Adam' | 'AdamW';
  readonly options: object;
}

const kinds = { SGD, Adam, AdamW };
const golden = readGolden<Case[]>('optimizers.safetensors');

function run({ name, kind, options }: Case, dtype: 'float32' | 'float64', tolerance: number): void {
  using _scope = tensorScope();
  const start = golden.at(`${name}.start`);
  const parameter = tensor(start.data, start.shape, { dtype, requiresGrad: true });
  using optimizer = new kinds[kind]([parameter], options);
  for (let step = 0; step < 6; step++) {
    parameter.grad?.dispose();
    parameter.grad = tensor(golden.at(`${name}.grad.${step}`).data, start.shape, { dtype });
    optimizer.step();
    const wanted = golden.at(`${name}.after.${step}`).data;
    expectRelative(parameter.data(), wanted, tolerance, `${name} after step ${step}`);
  }
}

describe("PyTorch's trajectories", () => {
  it('cover every optimizer', () => {
    expect(new Set(golden.cases.map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)));
  });

  it.each(golden.cases.map((item) => [`${item.name} ${JSON.stringify(item.options)}`, item] as const))(
    '%s',
    (_, item) => {
      run(item, 'float64', 1e-14);
      run(item, 'float32', 1e-6);
    },
  );
});
