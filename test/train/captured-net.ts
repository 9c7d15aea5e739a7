// SPDX-License-Identifier: Apache-2.0
// A network trained for a few steps, eagerly and captured: the same bits, for any number of threads and any memory.
import { afterAll, describe, expect, it } from 'vitest';
import {
  crossEntropy,
  manualSeed,
  type nn,
  optim,
  setNumThreads,
  type Tensor,
  tensor,
  tensorScope,
  weightsSha256,
} from '../../lib/index.js';
import { nativeInfo } from '../../lib/native/bindings.js';
import { capturePlan } from '../../lib/train/plan.js';
import { pattern } from '../helpers/pattern.js';

export const BATCH = 5;
const STEPS = 3;

export interface Net {
  /** Default BATCH. */
  readonly batch?: number;
  readonly inputShape: readonly [number, number, number];
  readonly make: () => nn.Module;
  readonly fusions: object;
}

function step(model: nn.Module, optimizer: optim.SGD) {
  return ({ images, labels }: Readonly<Record<string, Tensor>>) => {
    const loss = crossEntropy(model.call(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return { loss };
  };
}

function setUp({ inputShape, make, batch = BATCH }: Net) {
  manualSeed(11);
  const model = make();
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9, weightDecay: 1e-3 });
  const shape = [batch, ...inputShape];
  const size = shape.reduce((product, length) => product * length, 1);
  const images = Float32Array.from(pattern(1, size * STEPS));
  const labels = Int32Array.from({ length: batch * STEPS }, (_, i) => (i * 7) % 10);
  return { model, optimizer, shape, size, images, labels };
}

/** Everything that a run leaves behind: losses, weights, running statistics. */
function stateOf(model: nn.Module, losses: ArrayLike<number>) {
  return { losses: Array.from(losses), sha: weightsSha256(model) };
}

function eager(net: Net) {
  const { model, optimizer, shape, size, images, labels } = setUp(net);
  const losses: number[] = [];
  for (let s = 0; s < STEPS; s++) {
    tensorScope(() => {
      const x = tensor(images.slice(s * size, (s + 1) * size), shape);
      const y = tensor(labels.slice(s * shape[0], (s + 1) * shape[0]));
      losses.push(step(model, optimizer)({ images: x, labels: y }).loss.item());
    });
  }
  optimizer.zeroGrad();
  const state = stateOf(model, losses);
  for (const part of [optimizer, model]) part.dispose();
  return state;
}

export function captured(net: Net, options: { maxMemory?: number } = {}) {
  const { model, optimizer, shape, images, labels } = setUp(net);
  optimizer.prepare();
  const streams = {
    images: { shape, dtype: 'float32' },
    labels: { shape: [shape[0]], dtype: 'int32' },
  } as const;
  try {
    using plan = capturePlan(step(model, optimizer), streams, [optimizer], options);
    optimizer.zeroGrad();
    const { outputs } = plan.runSync({ steps: STEPS, streams: { images, labels } });
    return { state: stateOf(model, outputs.loss), plan: plan.describe() };
  } finally {
    optimizer.zeroGrad();
    for (const part of [optimizer, model]) part.dispose();
  }
}

/** Registers the tests of a network. */
export function describeCaptured(net: Net): void {
  const wanted = eager(net);

  it.each([1, 2, 3, 7])('has the bits of the eager steps on %i threads', (count) => {
    setNumThreads(count);
    const { state, plan } = captured(net);
    expect(state).toEqual(wanted);
    expect(plan.fusions).toEqual(net.fusions);
    expect(plan.recomputed).toBe(0);
  });

  it('has them in less memory, down to the smallest that a refusal names', () => {
    const { peakBytes } = captured(net).plan;
    let smallest = 0;
    try {
      captured(net, { maxMemory: 1 });
    } catch (error) {
      expect(error).toMatchObject({ code: 'ERR_OUT_OF_MEMORY', received: '1' });
      smallest = Number(/at least (\d+) bytes/.exec(String(error))?.[1]);
    }
    expect(smallest).toBeGreaterThan(0);
    expect(smallest).toBeLessThan(peakBytes);
    expect(() => captured(net, { maxMemory: smallest - 1 })).toThrow(String(smallest));
    for (const maxMemory of [smallest, Math.floor((smallest + peakBytes) / 2)]) {
      for (const count of [1, 3]) {
        setNumThreads(count);
        const { state, plan } = captured(net, { maxMemory });
        expect(state).toEqual(wanted);
        expect(plan.peakBytes).toBeLessThanOrEqual(maxMemory);
        expect(plan.recomputed).toBeGreaterThan(0);
      }
    }
  });
}

/** Registers the tests of each network. */
export function describeNets(nets: Readonly<Record<string, Net>>): void {
  const { threads } = nativeInfo();
  afterAll(() => setNumThreads(threads));
  describe.each(Object.entries(nets))('%s, captured', (_, net) => describeCaptured(net));
}
