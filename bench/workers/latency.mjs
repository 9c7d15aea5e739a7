// SPDX-License-Identifier: Apache-2.0
// Watches its own event loop, idle or while `fit` trains: how late the loop turns, how late a timer of 5 ms fires, how long
// requests, files and keys take.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { ArrayDataset, fit, manualSeed } from '../../dist/index.js';
import { nativeInfo } from '../../dist/native/bindings.js';
import { quantile } from '../harness/statistics.mjs';
import { startProbes } from './probes.mjs';
import { serve } from './serve.mjs';
import { buildModel } from './tasks/network.mjs';

const RESOLUTION_MS = 1;
const TIMER_MS = 5;
const BATCHES = 64;
const ENDING_MS = 200;

/** Starts watching. The function returned ends it and gives { loop, timer, http, readFile, pbkdf2 }, in ms. */
async function watch() {
  const endProbes = await startProbes();
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const lateness = [];
  let due = performance.now() + TIMER_MS;
  const tick = () => {
    lateness.push(Math.max(0, performance.now() - due));
    due = performance.now() + TIMER_MS;
    timer = setTimeout(tick, TIMER_MS);
  };
  let timer = setTimeout(tick, TIMER_MS);
  histogram.enable();
  return async () => {
    histogram.disable();
    clearTimeout(timer);
    const probes = await endProbes();
    // The histogram counts whole intervals; what exceeds the resolution is delay
    const delay = (percentile) => Math.max(0, histogram.percentile(percentile) / 1e6 - RESOLUTION_MS);
    return {
      loop: { p50: delay(50), p99: delay(99), max: Math.max(0, histogram.max / 1e6 - RESOLUTION_MS) },
      timer: { p50: quantile(lateness, 0.5), p99: quantile(lateness, 0.99), max: quantile(lateness, 1) },
      ...probes,
    };
  };
}

function randomDataset({ input, classes }, batch) {
  const length = batch * BATCHES;
  const images = Uint8Array.from(
    { length: length * input[0] * input[1] * input[2] },
    () => Math.random() * 256,
  );
  const labels = Int32Array.from({ length }, () => Math.random() * classes);
  const classNames = Array.from({ length: classes }, (_, i) => String(i));
  return new ArrayDataset({ images, labels, imageShape: input, classNames });
}

serve({
  hello() {
    return { name: 'receptive', isa: nativeInfo().isa };
  },
  async idle({ seconds }) {
    const end = await watch();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1e3));
    return await end();
  },
  async fit({ task, seconds }) {
    manualSeed(1);
    const model = buildModel(task.net);
    const dataset = randomDataset(task.net, task.batch);
    const options = { batchSize: task.batch, optimizer: 'sgd', lr: 0.01 };
    await fit(model, dataset, options); // warm
    const end = await watch();
    const signal = AbortSignal.timeout(seconds * 1e3);
    const training = fit(model, dataset, { ...options, epochs: 1e6, signal });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1e3 - ENDING_MS));
    const watched = await end(); // before the training ends, so that every call was beside it
    const { imagesPerSecond } = await training;
    model.dispose();
    return { ...watched, imagesPerSecond };
  },
});
