// SPDX-License-Identifier: Apache-2.0
// What a call costs when there is next to nothing to compute.
import {
  capture,
  crossEntropy,
  nn,
  noGrad,
  optim,
  relu,
  sum,
  tensor,
  tensorScope,
} from '../../../dist/index.js';
import { emit } from '../../../dist/native/bindings.js';
import { capturePlan } from '../../../dist/train/plan.js';
import { median } from '../../harness/statistics.mjs';
import { buildModel } from './network.mjs';

export const variants = () => ['eager'];

/** Steps of a call: of one layer, and of a net, which takes longer. */
const REPLAYED_STEPS = { layer: 1000, net: 50 };
const SAMPLES = 200;

/** A net's training step, and what it is captured from: one linear layer of `size` inputs, or a net of nets.mjs. */
function training(size, net) {
  const model =
    net === undefined ? new nn.Sequential(new nn.Flatten(), new nn.Linear(size, 10)) : buildModel(net);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const step = ({ images, labels }) => {
    const loss = crossEntropy(model.call(images), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return { loss };
  };
  const shape = [1, ...(net?.input ?? [1, 1, size])];
  const specs = { images: { shape, dtype: 'float32' }, labels: { shape: [1], dtype: 'int32' } };
  optimizer.prepare();
  const plan = capturePlan(step, specs, [optimizer]);
  optimizer.zeroGrad();
  const pixels = shape.reduce((a, b) => a * b);
  const steps = net === undefined ? REPLAYED_STEPS.layer : REPLAYED_STEPS.net;
  const streams = {
    images: new Float32Array(steps * pixels).fill(0.5),
    labels: new Int32Array(steps),
  };
  const first = { images: streams.images.subarray(0, pixels), labels: streams.labels.subarray(0, 1) };
  const dispose = () => {
    for (const held of [plan, optimizer, model]) held.dispose();
  };
  return { model, optimizer, shape, plan, steps, streams, first, dispose };
}

/** Median time of a call, in ms. */
function timeOf(body) {
  return median(
    Array.from({ length: SAMPLES }, () => {
      const start = performance.now();
      body();
      return performance.now() - start;
    }),
  );
}

/**
 * What the instructions of a step take, in ms. Each is timed by itself, between two looks at the clock, one of which falls
 * into its time; so half of what the looks make a step longer is taken off the sum.
 */
function kernelTime({ plan, steps, streams }) {
  const run = () => plan.runSync({ steps, streams });
  const untimed = timeOf(run) / steps;
  plan.profile(true);
  const sums = [];
  const timed =
    timeOf(() => {
      run();
      sums.push(plan.profile(true).reduce((total, { ms }) => total + ms, 0));
    }) / steps;
  plan.profile(false);
  return Math.max(0, median(sums) - Math.max(0, timed - untimed) / 2);
}

/** The step captured; a call replays it many times. */
function replay(size) {
  const trained = training(size);
  const { plan, steps, streams, dispose } = trained;
  const run = () => void plan.runSync({ steps, streams });
  return {
    perCall: steps,
    run,
    split() {
      const kernels = kernelTime(trained);
      return { kernels, over: timeOf(run) / steps - kernels };
    },
    dispose,
  };
}

/** A single step by `plan.run`, awaited. */
function singleRun(size, net) {
  const trained = training(size, net);
  const { model, optimizer, shape, plan, first, dispose } = trained;
  const captured = capture({ model, optimizer }, { input: shape });
  const run = () => captured.run(first);
  return {
    run,
    async split() {
      const kernels = kernelTime(trained);
      const times = [];
      for (let i = 0; i < SAMPLES; i++) {
        const start = performance.now();
        await run();
        times.push(performance.now() - start);
      }
      const sync = timeOf(() => plan.runSync({ steps: 1, streams: first }));
      return { kernels, over: median(times) - kernels, sync };
    },
    dispose() {
      captured.dispose();
      dispose();
    },
  };
}

export function prepare({ op, size, net }) {
  if (op === 'replay') return replay(size);
  if (op === 'run') return singleRun(size, net);
  const values = Float32Array.from({ length: size }, (_, i) => i / size);
  const x = tensor(values);
  const leaf = tensor(values, [size], { requiresGrad: true });
  const total = tensor([0]);
  const operands = [total.handle];
  const numbers = [1];
  const bodies = {
    // One instruction into a tensor that is there: the way through the binding alone
    fill: () => emit('fill', operands, numbers),
    relu: () => noGrad(() => relu(x).dispose()),
    'relu recorded': () => tensorScope(() => void relu(leaf)),
    'relu sum backward': () => {
      leaf.grad?.dispose();
      leaf.grad = null;
      tensorScope(() => sum(relu(leaf)).backward());
    },
  };
  return {
    run: bodies[op],
    dispose() {
      for (const held of [x, leaf, total]) held.dispose();
    },
  };
}
