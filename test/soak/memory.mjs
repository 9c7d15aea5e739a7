// SPDX-License-Identifier: Apache-2.0
// Does training leak? LeNet-5 for many steps, by fit and by a plan: after a plan's first step native code may ask the system
// for nothing, handles and bytes must stay exactly where they are, and the process may grow by 10 MiB at most.
//
//   node test/soak/memory.mjs STEPS     prints one JSON object; exit status 1 where something grew
import { capture, DataLoader, fit, glyphs, LeNet5, manualSeed, memory, optim } from '../../dist/index.js';

const BATCH = 4;
const EPOCH = 500; // steps
const LIMIT = 10 * 2 ** 20;

const steps = Math.ceil(Number(process.argv[2]) / EPOCH) * EPOCH;
/** V8's heap takes its size in the first steps. */
const warmUp = Math.min(10_000, steps / 2);
const { train } = glyphs({ seed: 1, trainSize: BATCH * EPOCH, testSize: 1 });

/** Takes note of what is in use: exact counts since the first step, the process's size since the warm-up. */
class Watch {
  #first;
  #rss;
  grown = 0;
  changes = [];

  /** To be called after the first step, and again and again. */
  look(done) {
    const { tensors, bytes, allocations } = memory();
    const now = JSON.stringify({ tensors, bytes, allocations });
    this.#first ??= now;
    if (now !== this.#first) this.changes.push(`after ${done} steps ${now}, not ${this.#first}`);
    if (done < warmUp) return;
    const rss = process.memoryUsage.rss();
    this.#rss ??= rss;
    this.grown = Math.max(this.grown, rss - this.#rss);
  }

  result(done, seconds) {
    const grownMiB = Math.round((this.grown / 2 ** 20) * 100) / 100;
    const changes = this.changes.slice(0, 3);
    const ok = changes.length === 0 && this.grown <= LIMIT && done === steps;
    return { ok, steps: done, seconds: Math.round(seconds * 10) / 10, grownMiB, changes };
  }
}

async function byFit() {
  manualSeed(1);
  const model = new LeNet5();
  const watch = new Watch();
  let done = 0;
  const result = await fit(model, train, {
    batchSize: BATCH,
    epochs: steps / EPOCH,
    optimizer: 'sgd',
    lr: 1e-3,
    onEpoch: ({ epoch }) => {
      done = epoch * EPOCH;
      watch.look(done);
    },
  });
  model.dispose();
  return watch.result(result.steps, result.seconds);
}

async function byPlan() {
  manualSeed(1);
  const model = new LeNet5();
  const optimizer = new optim.SGD(model.parameters(), { lr: 1e-3, momentum: 0.9 });
  const loader = new DataLoader(train, { batchSize: BATCH, seed: 1, shuffle: true });
  const plan = capture({ model, optimizer }, { inputs: loader });
  const watch = new Watch();
  const options = { keepOutputs: false };
  await plan.run(loader, { steps: 1, ...options });
  watch.look(1);
  const { seconds } = await plan.run(loader, {
    ...options,
    steps: steps - 1,
    onProgress: ({ done }) => watch.look(1 + done),
  });
  for (const part of [plan, loader, optimizer, model]) part.dispose();
  return watch.result(plan.stepsDone, seconds);
}

async function byIterable() {
  manualSeed(1);
  const model = new LeNet5();
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-4 });
  const plan = capture({ model, optimizer }, { input: [BATCH, 28, 28, 1] });
  const images = Float32Array.from({ length: 7 * BATCH * 784 }, (_, i) => Math.sin(i * 0.13));
  const labels = Int32Array.from({ length: BATCH }, (_, i) => i % 10);
  const size = BATCH * 784;
  const ready = Array.from({ length: 7 }, (_, i) => ({
    images: images.subarray(i * size, (i + 1) * size),
    labels,
  }));
  function* batches() {
    for (let i = 0; ; i++) yield ready[i % 7];
  }
  const watch = new Watch();
  await plan.run(batches(), { steps: 1, keepOutputs: false });
  watch.look(1);
  const { seconds } = await plan.run(batches(), {
    steps: steps - 1,
    keepOutputs: false,
    onProgress: ({ done }) => watch.look(1 + done),
  });
  for (const part of [plan, optimizer, model]) part.dispose();
  return watch.result(plan.stepsDone, seconds);
}

const before = memory();
const results = { fit: await byFit(), plan: await byPlan(), iterable: await byIterable() };
const after = memory();
const isBack = after.tensors === before.tensors && after.bytes === before.bytes;
const ok = isBack && Object.values(results).every((result) => result.ok);
console.log(JSON.stringify({ ok, isBack, ...results }));
process.exitCode = ok ? 0 : 1;
