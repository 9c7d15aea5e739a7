// SPDX-License-Identifier: Apache-2.0
// 20 steps of each optimizer, with every option, against PyTorch's: exact in float64, rounded in float32.
import { describe, expect, it } from 'vitest';
import { clipGradNorm, clipGradValue, type OptimizerState } from '../../lib/optim/index.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { expectRelative } from '../helpers/golden.js';
import { golden, kinds, type OptimizerCase, STEPS, TOLERANCE, Trajectory } from './trajectory.js';

const { optimizers, clipping } = golden.cases;
const precisions = ['float64', 'float32'] as const;
const title = ({ name, options, groups }: OptimizerCase) => `${name} ${JSON.stringify({ options, groups })}`;

/** PyTorch's state after half of the steps or all, in the form of ours. */
function stateOf(name: string, when: 'half' | 'end', dtype: 'float32' | 'float64'): OptimizerState {
  const tensors = new Map<string, ReturnType<typeof tensor>>();
  const numbers = new Map<string, number>();
  const prefix = `${name}.${when}.`;
  for (const full of golden.names(prefix)) {
    const { data, shape } = golden.at(full);
    const key = full.slice(prefix.length);
    if (key.endsWith('.step')) numbers.set(key, data[0]);
    else tensors.set(key, tensor(data, shape, { dtype }));
  }
  return { tensors, numbers };
}

describe("PyTorch's trajectories", () => {
  it('cover every optimizer and every option', () => {
    for (const [kind, make] of Object.entries(kinds)) {
      using parameter = tensor([0], [1], { requiresGrad: true });
      using optimizer = new make([parameter]);
      const { params: _, ...options } = optimizer.groups[0];
      const named = optimizers
        .filter((item) => item.kind === kind)
        .flatMap((item) => [item.options, ...(item.groups ?? [])].flatMap(Object.keys));
      expect(new Set(named), kind).toEqual(new Set(Object.keys(options)));
    }
  });

  it.each(optimizers.map((item) => [title(item), item] as const))('%s', (_, item) => {
    for (const dtype of precisions) {
      using _scope = tensorScope();
      using run = new Trajectory(item, dtype);
      for (let step = 0; step < STEPS; step++) {
        run.step();
        run.expectPyTorch();
      }
      const { tensors, numbers } = run.optimizer.stateDict();
      const wanted = stateOf(item.name, 'end', dtype);
      expect([...tensors.keys()].sort()).toEqual([...wanted.tensors.keys()].sort());
      for (const [key, value] of wanted.tensors) {
        const own = tensors.get(key)?.data() ?? [];
        expectRelative(own, golden.at(`${item.name}.end.${key}`).data, TOLERANCE[dtype], key);
        expect(value.shape).toEqual(tensors.get(key)?.shape);
      }
      for (const [key, value] of wanted.numbers) expect([key, numbers.get(key)]).toEqual([key, value]);
    }
  });

  it.each(optimizers.map((item) => [title(item), item] as const))(
    '%s, from its state half-way',
    (_, item) => {
      for (const dtype of precisions) {
        using _scope = tensorScope();
        using run = new Trajectory(item, dtype, STEPS / 2);
        run.optimizer.loadStateDict(stateOf(item.name, 'half', dtype));
        for (let step = STEPS / 2; step < STEPS; step++) {
          run.step();
          run.expectPyTorch();
        }
      }
    },
  );
});

describe("PyTorch's trajectories of clipped gradients", () => {
  it.each(clipping.map((item) => [`${item.name} ${JSON.stringify(item.clip)}`, item] as const))(
    '%s',
    (_, item) => {
      const { clipGradNorm: maxNorm, clipGradValue: limit } = item.clip;
      for (const dtype of precisions) {
        using _scope = tensorScope();
        const plain = { ...item, groups: null };
        using run = new Trajectory(plain, dtype);
        using inside = new Trajectory(plain, dtype);
        for (let step = 0; step < STEPS; step++) {
          run.step(() => {
            if (limit !== undefined) clipGradValue([run.a, run.b], limit);
            if (maxNorm === undefined) return;
            const norm = clipGradNorm([run.a, run.b], maxNorm);
            expect(norm.dtype).toBe(dtype);
            const wanted = golden.at(`${item.name}.norms`).data[step];
            expectRelative([norm.item()], [wanted], TOLERANCE[dtype], 'norm');
          });
          run.expectPyTorch();
          inside.clippedStep(item.clip);
          expect([inside.a.data(), inside.b.data()]).toEqual([run.a.data(), run.b.data()]);
        }
      }
    },
  );
});
