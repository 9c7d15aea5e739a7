// SPDX-License-Identifier: Apache-2.0
// Workers that train and are terminated at random moments, eight at a time: while they load the library, record, run their
// first step, replay, predict. Nothing of theirs may stay: no memory, no thread, no open file; and what is trained
// afterwards has the bits of before.
//
//   node test/soak/workers.mjs TERMINATIONS [SEED]     prints one JSON object; exit status 1 where something stayed
import { readdirSync, readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { memory } from '../../dist/index.js';
import { resetMemory } from '../../dist/native/bindings.js';
import { work } from './work.mjs';

const ROWS = 8;
const wanted = Number(process.argv[2]);
let seed = Number(process.argv[3] ?? 1);

/** From 0 to below 1 (Numerical Recipes' generator): the moments of a seed. */
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const entries = (folder) => (process.platform === 'linux' ? readdirSync(folder) : []);

/** Where an open file leads; nothing for one that is closed meanwhile. */
function targetOf(file) {
  try {
    return readlinkSync(`/proc/self/fd/${file}`);
  } catch {
    return undefined;
  }
}

/**
 * What the process holds while no worker is alive. Scratch belongs to the threads that stay. Modules that a worker was reading
 * when it was terminated are left open by Node itself (20 to 24): they are counted apart.
 */
function inUse() {
  resetMemory({ trim: true });
  const { tensors, heldBytes, workspaceBytes } = memory();
  const files = entries('/proc/self/fd')
    .map(targetOf)
    .filter((target) => target !== undefined);
  const modules = files.filter((target) => /\.m?js$/.test(target)).length;
  const held = {
    tensors,
    bytes: heldBytes - workspaceBytes,
    threads: entries('/proc/self/task').length,
    files: files.length - modules,
  };
  return { held, modules };
}

/** Where workers are when they end, with their share of all, and how long after the message that says so at most (ms). */
const MOMENTS = {
  loading: { share: 0.05, after: undefined, within: 400 },
  recording: { share: 0.45, after: 'loaded', within: 60 },
  training: { share: 0.5, after: 'busy', within: 25 },
};
const counts = { loading: 0, recording: 0, training: 0 };
let started = 0;

function drawMoment() {
  const drawn = random();
  if (drawn < MOMENTS.loading.share) return 'loading';
  return drawn < MOMENTS.loading.share + MOMENTS.recording.share ? 'recording' : 'training';
}

async function oneWorker() {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: started++ });
  const moment = drawMoment();
  const { after, within } = MOMENTS[moment];
  await new Promise((resolve, reject) => {
    worker.on('error', reject);
    const end = () => setTimeout(resolve, random() * within);
    if (after === undefined) end();
    else worker.on('message', (message) => message === after && end());
  });
  counts[moment] += 1;
  await worker.terminate();
}

async function terminate(until) {
  await Promise.all(
    Array.from({ length: ROWS }, async () => {
      while (started < until) await oneWorker();
    }),
  );
}

const alone = await work(1);
await work(1, { priority: 'background' });
await terminate(Math.min(ROWS, wanted)); // all threads that stay, and Node's files, are there then
await pause(50);
const before = inUse();
const rssBefore = process.memoryUsage.rss();
const began = performance.now();
await terminate(wanted);
await pause(50);
const after = inUse();
const grownMiB = Math.round((process.memoryUsage.rss() - rssBefore) / 2 ** 18) / 4;
const sameBits = (await work(1)) === alone;
const { held } = after;
const leaked = JSON.stringify(held) !== JSON.stringify(before.held) || held.tensors + held.bytes !== 0;
const ok = sameBits && !leaked && started === wanted;
const seconds = Math.round((performance.now() - began) / 100) / 10;
const moduleFiles = after.modules - before.modules;
console.log(
  JSON.stringify({
    ok,
    terminations: started,
    ...counts,
    seconds,
    sameBits,
    before: before.held,
    after: held,
    grownMiB,
    moduleFiles,
  }),
);
process.exitCode = ok ? 0 : 1;
