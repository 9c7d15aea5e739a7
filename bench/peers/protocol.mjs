// SPDX-License-Identifier: Apache-2.0
// The end of the protocol for peers that run in Node.js: what protocol.py is for those that run in Python.
import { timeBlock, warmUp } from '../workers/block.mjs';
import { residentMemory } from '../workers/memory-use.mjs';
import { Refusal, serve } from '../workers/serve.mjs';

export const THREADS = Number(process.env.BENCH_THREADS ?? '1');

export const unsupported = (message) => new Refusal('unsupported', message);

/** All contestants train the same net, or none does. */
export function checkParameters(net, count) {
  if (count === net.parameters) return;
  throw new Refusal('failed', `${net.model} has ${count} parameters here instead of ${net.parameters}`);
}

/** Refuses work of which one call would take minutes; `most` in GFLOP. */
export function checkWork(flops, most) {
  if (flops <= most * 1e9) return;
  throw unsupported(`${(flops / 1e9).toPrecision(2)} GFLOP, one call would take minutes`);
}

/** Uniform numbers in [-1, 1) times `scale`; what they are does not matter to the speed. */
export function uniform(size, scale = 1) {
  return Float32Array.from({ length: size }, () => (2 * Math.random() - 1) * scale);
}

/** Class numbers, any. */
export function randomLabels(size, classes) {
  return Int32Array.from({ length: size }, () => Math.random() * classes);
}

async function imported(load) {
  try {
    return await load();
  } catch (error) {
    const isMissing = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND'].includes(error.code);
    throw isMissing ? new Refusal('missing', error.message.split('\n')[0]) : error;
  }
}

/**
 * Answers requests until standard input ends.
 *
 * @param load imports the library; resolves with { name, version, variants(task), prepare(task, variant) }, where
 *   `prepare` gives (a promise of) the function to time, which may return a promise
 */
export function servePeer(load) {
  // Replies keep the standard output to themselves
  for (const method of ['log', 'info', 'debug']) console[method] = console.error;
  let peer = null;
  let body = null;
  let batch = 1;
  serve({
    async hello() {
      peer = await imported(load);
      return { name: peer.name, version: peer.version };
    },
    async variants({ task }) {
      return { variants: await peer.variants(task) };
    },
    async prepare({ task, variant }) {
      body = null;
      body = await peer.prepare(task, variant);
      const warm = await warmUp(body);
      batch = warm.batch;
      return { ms: warm.ms };
    },
    async block({ ms, calls }) {
      return { value: await timeBlock(body, ms, batch, calls) };
    },
    memory: () => residentMemory(),
  });
}
