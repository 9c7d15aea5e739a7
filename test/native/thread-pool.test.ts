// SPDX-License-Identifier: Apache-2.0
// The resident pool: the same bits for any number of threads, several environments at once, and a clean end.
import { afterAll, describe, expect, test } from 'vitest';
import { emit, nativeInfo, setIsa, setNumThreads } from '../../lib/native/bindings.js';
import { conv2d } from '../../lib/ops/conv2d.js';
import { linear } from '../../lib/ops/linear.js';
import { sum } from '../../lib/ops/reduce.js';
import { softmax } from '../../lib/ops/softmax.js';
import { Generator, randn } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { childJson, runChild } from '../helpers/child.js';

const before = nativeInfo();
afterAll(() => {
  setIsa(before.isa);
  setNumThreads(before.threads);
});

const bits = (data: ArrayBufferView) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** Results of computations that are large enough to be split. */
function compute(): Record<string, Buffer> {
  return tensorScope(() => {
    const generator = new Generator(3);
    const make = (...shape: number[]) => randn(shape, { generator, requiresGrad: true });
    const [x, w, b] = [make(5, 29, 31, 3), make(20, 5, 5, 3), make(20)];
    const y = conv2d(x, w, b, { padding: 2, stride: 2 });
    sum(y).backward();
    const [rows, weight] = [make(70, 600), make(90, 600)];
    const z = linear(rows, weight);
    const probabilities = softmax(z);
    probabilities.backward(new Float32Array(z.size).fill(0.5).map((value, i) => value + (i % 7)));
    const [parameter, gradient, velocity] = [make(100_003), make(100_003), make(100_003)];
    emit('sgd_update', [parameter.handle, gradient.handle, velocity.handle], [0.1, 0.9, 0, 1e-4, 1, 0]);
    const results = {
      y,
      dx: x.grad,
      dw: w.grad,
      db: b.grad,
      z,
      probabilities,
      dz: weight.grad,
      parameter,
      velocity,
    };
    return Object.fromEntries(
      Object.entries(results).map(([name, t]) => [name, bits((t as typeof y).data())]),
    );
  });
}

describe.each(before.supportedIsas)('%s', (isa) => {
  test('1, 2, 3, 7 and 40 threads give the same bits', () => {
    setIsa(isa);
    setNumThreads(1);
    const one = compute();
    for (const threads of [2, 3, 7, 40, 1]) {
      setNumThreads(threads);
      for (const [name, result] of Object.entries(compute())) {
        expect(result.equals(one[name]), `${name} with ${threads} threads`).toBe(true);
      }
    }
  });
});

test('denormal numbers work in JavaScript after native calls', () => {
  const tiny = Number.MIN_VALUE;
  for (const threads of [1, 2, 3]) {
    setNumThreads(threads);
    const results = compute();
    expect(Object.keys(results)).toHaveLength(9);
    const parts = [tiny * 1, 1e-310 * 0.5, 2.3e-308 / 4, Math.fround(1e-45)];
    for (const part of parts) expect(part).toBeGreaterThan(0);
    expect(tiny * 3).toBe(1.5e-323);
  }
});

describe('worker_threads', () => {
  const WORK = `
    import { conv2d } from '#dist/ops/conv2d.js';
    import { randn, Generator } from '#dist/tensor/random.js';
    import { memory, tensorScope } from '#dist/tensor/scope.js';
    const work = () => tensorScope(() => {
      const generator = new Generator(1);
      const [x, w] = [randn([4, 20, 20, 3], { generator }), randn([8, 3, 3, 3], { generator })];
      return Buffer.from(conv2d(x, w).data().buffer).toString('base64');
    });`;

  test('eight at once get the bits of one alone, and count their own memory', () => {
    const result = childJson(
      `import { Worker } from 'node:worker_threads';
       ${WORK}
       const alone = work();
       const source = ${JSON.stringify(WORK)} + \`
         const { parentPort } = await import('node:worker_threads');
         const results = new Set();
         for (let i = 0; i < 30; i++) results.add(work());
         parentPort.postMessage({ results: [...results], tensors: memory().tensors });\`;
       const run = () => new Promise((resolve, reject) => {
         const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(source)));
         worker.once('message', resolve).once('error', reject);
       });
       const answers = await Promise.all(Array.from({ length: 8 }, run));
       console.log(JSON.stringify({
         same: answers.every(({ results }) => results.length === 1 && results[0] === alone),
         tensors: answers.map(({ tensors }) => tensors),
       }));`,
      { env: { RECEPTIVE_THREADS: '3' }, timeout: 30_000 },
    );
    expect(result).toEqual({ same: true, tensors: Array(8).fill(0) });
  });

  test('terminated in the middle of their work end cleanly', () => {
    const { status, signal, stdout, stderr } = runChild(
      `import { Worker } from 'node:worker_threads';
       ${WORK}
       const alone = work();
       const source = ${JSON.stringify(WORK)} + \`
         const { parentPort } = await import('node:worker_threads');
         for (let i = 0; ; i++) { work(); if (i === 1) parentPort.postMessage('busy'); }\`;
       for (let round = 0; round < 3; round++) {
         await Promise.all(Array.from({ length: 8 }, (_, i) => new Promise((resolve, reject) => {
           const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(source)));
           worker.once('error', reject).once('message', () => {
             setTimeout(() => worker.terminate().then(resolve, reject), i);
           });
         })));
         if (work() !== alone) throw new Error('other bits after termination');
       }
       console.log('ended', memory().tensors);`,
      { env: { RECEPTIVE_THREADS: '3' }, timeout: 30_000 },
    );
    expect({ status, signal, stdout: stdout.trim(), stderr }).toEqual({
      status: 0,
      signal: null,
      stdout: 'ended 0',
      stderr: '',
    });
  });

  test('a process may exit while they compute', () => {
    const { status, signal, stderr } = runChild(
      `import { Worker } from 'node:worker_threads';
       const source = ${JSON.stringify(WORK)} + \`
         const { parentPort } = await import('node:worker_threads');
         for (let i = 0; ; i++) { work(); if (i === 1) parentPort.postMessage('busy'); }\`;
       let busy = 0;
       for (let i = 0; i < 4; i++) {
         new Worker(new URL('data:text/javascript,' + encodeURIComponent(source)))
           .once('message', () => { if (++busy === 4) process.exit(3); });
       }`,
      { env: { RECEPTIVE_THREADS: '2' } },
    );
    expect({ status, signal, stderr }).toEqual({ status: 3, signal: null, stderr: '' });
  });
});

test.runIf(process.platform === 'linux')('threads that the system refuses are done without', () => {
  // 255 stacks of 1 GiB do not fit into the address space that is left: pthread_create fails part of the way.
  const script = `
    import { conv2d } from '#dist/ops/conv2d.js';
    import { readdirSync } from 'node:fs';
    import { ones } from '#dist/tensor/create.js';
    const y = conv2d(ones([8, 40, 40, 3]), ones([16, 3, 3, 3]));
    const started = readdirSync('/proc/self/task').length;
    console.log(JSON.stringify({ started: started > 10 && started < 200, value: y.data()[0] }));`;
  const result = childJson(script, {
    env: { RECEPTIVE_THREADS: '256' },
    limits: 'ulimit -s 1048576; ulimit -v 100000000',
  });
  expect(result).toEqual({ started: true, value: 27 });
});
