// SPDX-License-Identifier: Apache-2.0
// Native memory over many steps: handles and bytes exactly flat, the process not growing, threads not interfering.
import { expect, test } from 'vitest';
import { childJson } from '../helpers/child.js';

/** A training step over the operations that allocate most, in eager mode. */
const STEP = `
  import { conv2d } from '#dist/ops/conv2d.js';
  import { crossEntropy } from '#dist/ops/cross-entropy.js';
  import { dropout } from '#dist/ops/dropout.js';
  import { linear } from '#dist/ops/linear.js';
  import { maxPool2d } from '#dist/ops/pool2d.js';
  import { relu } from '#dist/ops/activations.js';
  import { flatten } from '#dist/ops/reshape.js';
  import { emit } from '#dist/native/bindings.js';
  import { tensor } from '#dist/tensor/create.js';
  import { randn } from '#dist/tensor/random.js';
  import { memory, tensorScope } from '#dist/tensor/scope.js';
  const image = randn([8, 12, 12, 1]);
  const labels = tensor(Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3));
  const parameters = [randn([6, 3, 3, 1], { std: 0.3 }), randn([6]), randn([4, 150], { std: 0.1 }), randn([4])];
  for (const parameter of parameters) parameter.requiresGrad = true;
  const [w1, b1, w2, b2] = parameters;
  const step = () => tensorScope(() => {
    const features = maxPool2d(relu(conv2d(image, w1, b1)), { kernelSize: 2 });
    const loss = crossEntropy(linear(dropout(flatten(features), 0.1), w2, b2), labels);
    loss.backward();
    for (const parameter of parameters) {
      emit('sgd_update', [parameter.handle, parameter.grad.handle, -1], [0.05, 0, 0, 0, 0, 0]);
      parameter.grad.dispose();
      parameter.grad = null;
    }
    return loss.item();
  });`;

test('3,000 training steps leave handles, bytes, caches and scratch as they were', () => {
  const result = childJson(
    `${STEP}
     let first = step();
     for (let i = 0; i < 200; i++) step();
     gc();
     const before = memory(), grown = [];
     let last;
     for (let span = 0; span < 3; span++) {
       const rss = process.memoryUsage().rss;
       for (let i = 0; i < 1000; i++) last = step();
       gc();
       grown.push(process.memoryUsage().rss - rss);
     }
     console.log(JSON.stringify({ before, after: memory(), grown, first, last }));`,
    // V8's young generation grows as it likes, by up to 16 MiB, long after 200 steps, and the old one until it is collected
    { timeout: 30_000, flags: ['--max-semi-space-size=1', '--expose-gc'] },
  ) as { before: object; after: object; grown: number[]; first: number; last: number };
  expect(result.after).toEqual(result.before);
  // 10 MiB in 2,000 steps. A leak grows in each span; the system may give large pages to a process once, in one of them
  const [, median] = result.grown.sort((a, b) => a - b);
  expect(median).toBeLessThan(5 << 20);
  expect(result.last).toBeLessThan(result.first);
});

test('refusals between steps leave nothing either', () => {
  const result = childJson(
    `${STEP}
     step();
     const bad = tensor(Int32Array.of(9, 9, 9, 9, 9, 9, 9, 9));
     const before = memory();
     let refused = 0;
     for (let i = 0; i < 500; i++) {
       try { tensorScope(() => crossEntropy(linear(flatten(image), randn([4, 144]), b2), bad)); }
       catch ({ code }) { refused += code === 'ERR_DATA'; }
       try { crossEntropy(randn([1, 4]).keep(), bad); } catch {}
       step();
     }
     const { tensors, bytes } = memory();
     console.log(JSON.stringify({ refused, tensors: tensors - before.tensors }));`,
  );
  expect(result).toEqual({ refused: 500, tensors: 500 }); // the 500 that the loop itself never frees
});

test('a computation that finds no memory says so, and the next one works', () => {
  const result = childJson(
    `${STEP}
     const before = memory();
     const codes = new Set();
     // Padding in strides as wide as itself asks for much more scratch than for result: 8 GB, in a process that may have
     // less; and at last for more than is ever tried.
     for (const padding of [8000, 1 << 22]) {
       try { tensorScope(() => conv2d(image, w1, b1, { padding, stride: padding }).item()); }
       catch ({ code }) { codes.add(code); }
     }
     const after = memory();
     console.log(JSON.stringify({ codes: [...codes], kept: after.tensors - before.tensors, loss: Number.isFinite(step()) }));`,
    { limits: 'ulimit -v 8000000' },
  );
  expect(result).toEqual({ codes: ['ERR_OUT_OF_MEMORY', 'ERR_SHAPE'], kept: 0, loss: true });
});
