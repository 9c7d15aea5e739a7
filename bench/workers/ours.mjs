// SPDX-License-Identifier: Apache-2.0
// The library as a contestant. A task becomes a function without arguments, which is called for a block of time.
import { createRequire } from 'node:module';
import { measurePeak, memoryInfo, nativeInfo, setIsa } from '../../dist/native/bindings.js';
import { timeBlock, warmUp } from './block.mjs';
import { residentMemory } from './memory-use.mjs';
import { Refusal, serve } from './serve.mjs';

/** Task kind → module. Loaded when asked for, so that a suite pays for nothing but its own. */
const TASKS = {
  gemm: () => import('./tasks/gemm.mjs'),
  conv: () => import('./tasks/conv.mjs'),
  step: () => import('./tasks/network.mjs'),
  infer: () => import('./tasks/network.mjs'),
  overhead: () => import('./tasks/overhead.mjs'),
  augment: () => import('./tasks/augment.mjs'),
  feed: () => import('./tasks/feed.mjs'),
};

const { version } = createRequire(import.meta.url)('../../package.json');
let prepared = null;
let batch = 1;

function moduleFor(task) {
  const load = TASKS[task.kind];
  if (load === undefined) throw new Refusal('unsupported', `no task ${task.kind}`);
  return load();
}

function current() {
  if (prepared === null) throw new Refusal('failed', 'nothing is prepared');
  return prepared;
}

serve({
  hello() {
    const { isa, supportedIsas } = nativeInfo();
    return { name: 'receptive', version, isa, supportedIsas };
  },
  async variants({ task }) {
    return { variants: (await moduleFor(task)).variants(task) };
  },
  async prepare({ task, variant }) {
    prepared?.dispose();
    prepared = null;
    prepared = await (await moduleFor(task)).prepare(task, variant);
    const warm = await warmUp(prepared.run);
    batch = warm.batch;
    return { ms: warm.ms };
  },
  async steps({ task, variant, steps }) {
    const { run, peakBytes, digest, dispose } = (await moduleFor(task)).prepare(task, variant);
    try {
      for (let i = 0; i < steps; i++) run();
      return { digest: digest(), peakBytes: peakBytes() };
    } finally {
      dispose();
    }
  },
  async block({ ms, calls }) {
    const { run, check, perCall = 1 } = current();
    const value = (await timeBlock(run, ms, batch, calls)) / perCall;
    check?.();
    return { value };
  },
  error({ images }) {
    // Peers are asked with a number of images; the eager peer has the bits of the captured one
    if (images !== undefined) throw new Refusal('unsupported', 'no error of its own');
    const { error, errorImages } = current();
    return { value: error(), images: errorImages };
  },
  split() {
    return current().split();
  },
  peak({ ms, isa }) {
    if (isa !== undefined) setIsa(isa);
    return { value: measurePeak(ms, nativeInfo().threads) };
  },
  memory() {
    return { ...residentMemory(), nativePeak: memoryInfo().peakBytes / 2 ** 20 };
  },
});
