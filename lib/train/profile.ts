// SPDX-License-Identifier: Apache-2.0
// Where the time of a captured training step goes: each instruction beside what the machine could do at best.
import { measureBandwidth, measurePeak, nativeInfo } from '../native/bindings.js';
import { inPlace } from '../native/place.js';
import type { Module } from '../nn/module.js';
import { argmax } from '../ops/classify.js';
import { crossEntropy } from '../ops/cross-entropy.js';
import { SGD } from '../optim/sgd.js';
import type { Tensor } from '../tensor/tensor.js';
import { type CapturedStep, capturePlan } from './plan.js';
import { flopsOf, hintFor, partOf } from './profile-roofline.js';
import { inMode } from './slices.js';

/** One instruction of a step. */
export interface ProfileRow {
  /** Path of the layer, or `loss`, `optimizer`, `gradients`, … for what belongs to none. */
  readonly layer: string;
  readonly op: string;
  readonly pass: 'forward' | 'backward' | 'update';
  /** Median time of one step, in µs. */
  readonly us: number;
  readonly flops: number;
  /** Of all operands: what is read and written at least. */
  readonly bytes: number;
  readonly gflops: number;
  readonly gbPerSecond: number;
  /** What bounds it on this machine: arithmetic or memory. */
  readonly bound: 'compute' | 'memory';
  /** The time it would take at the bound, as a share of its time; above 1 where the caches hold its data. */
  readonly share: number;
  /** Which way a convolution takes; '' for the rest. */
  readonly algorithm: string;
  /** Why it falls short of the bound, where that is plain; else ''. */
  readonly hint: string;
}

/** The profile of a step. */
export interface Profile {
  readonly rows: readonly ProfileRow[];
  readonly batchSize: number;
  readonly threads: number;
  readonly isa: string;
  /** Steps that were timed. */
  readonly steps: number;
  /** Measured now: GFLOP/s of multiply-adds in registers, GB/s of a copy through memory. */
  readonly peakGflops: number;
  readonly peakGbPerSecond: number;
  /** Of a whole step, and of its instructions alone, in µs. */
  readonly stepUs: number;
  readonly sumUs: number;
}

const PROBE_MS = 100;
const WARM_UP = 2;
const MIN_STEPS = 5;
const MAX_STEPS = 200;
const TARGET_MS = 1000;

/** Trains a model on random images for about a second and tells what each instruction of a step takes. It changes the model. */
export function profileTraining(
  model: Module,
  inputShape: readonly [number, number, number],
  classes: number,
  batchSize: number,
): Profile {
  const { isa, threads } = nativeInfo();
  const peakGflops = measurePeak(PROBE_MS, threads);
  const peakGbPerSecond = measureBandwidth(PROBE_MS, threads);
  const size = batchSize * inputShape[0] * inputShape[1] * inputShape[2];
  const streams = {
    images: Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7)),
    labels: Int32Array.from({ length: batchSize }, (_, i) => i % classes),
  };
  const optimizer = new SGD(model.parameters(), { lr: 1e-6, momentum: 0.9 });
  optimizer.prepare();
  const step = recordStep(model, optimizer, batchSize, inputShape);
  optimizer.zeroGrad();
  try {
    step.profile(true);
    const run = () => {
      const start = performance.now();
      step.runSync({ steps: 1, streams });
      return performance.now() - start;
    };
    for (let i = 0; i < WARM_UP; i++) run();
    const steps = Math.min(MAX_STEPS, Math.max(MIN_STEPS, Math.ceil(TARGET_MS / run())));
    const rests: number[] = [];
    const all: ReturnType<CapturedStep['profile']>[] = [];
    for (let i = 0; i < steps; i++) {
      const whole = run();
      const rows = step.profile(true);
      all.push(rows);
      rests.push(whole - rows.reduce((sum, { ms }) => sum + ms, 0));
    }
    const rows = all[0].map((row, i) => {
      const us = 1000 * median(all.map((one) => one[i].ms));
      return rowOf(row, us, peakGflops, peakGbPerSecond);
    });
    const sumUs = rows.reduce((sum, row) => sum + row.us, 0);
    const stepUs = sumUs + 1000 * median(rests);
    return { rows, batchSize, threads, isa, steps, peakGflops, peakGbPerSecond, stepUs, sumUs };
  } finally {
    step.dispose();
    optimizer.dispose();
  }
}

function rowOf(
  row: ReturnType<CapturedStep['profile']>[number],
  us: number,
  peakGflops: number,
  peakGbPerSecond: number,
): ProfileRow {
  const { op, bytes, algorithm } = row;
  const flops = flopsOf(row);
  const [computeUs, memoryUs] = [flops / peakGflops / 1e3, bytes / peakGbPerSecond / 1e3];
  const bound = computeUs > memoryUs ? 'compute' : 'memory';
  const share = Math.max(computeUs, memoryUs) / us;
  const known = {
    ...partOf(row),
    op: row.updates > 1 ? `${op} x${row.updates}` : op,
    us,
    flops,
    bytes,
    gflops: flops / us / 1e3,
    gbPerSecond: bytes / us / 1e3,
    bound,
    share,
    algorithm,
  } as const;
  return { ...known, hint: hintFor(row, known) };
}

/** Records a training step with each instruction's layer. */
function recordStep(
  model: Module,
  optimizer: SGD,
  batchSize: number,
  inputShape: readonly number[],
): CapturedStep {
  const body = ({ images, labels }: Readonly<Record<string, Tensor>>) => {
    optimizer.zeroGrad();
    const logits = model.call(images);
    return inPlace({ layer: 'loss', isBackward: false }, () => {
      const loss = crossEntropy(logits, labels);
      loss.backward();
      inPlace({ layer: 'optimizer', isBackward: false }, () => optimizer.step());
      return { loss, predicted: argmax(logits) };
    });
  };
  const streams = {
    images: { shape: [batchSize, ...inputShape], dtype: 'float32' },
    labels: { shape: [batchSize], dtype: 'int32' },
  } as const;
  return withPlaces(model, () => inMode(model, true, () => capturePlan(body, streams, [optimizer])));
}

/** Runs `body` while each module notes its path with the instructions of its own forward pass. */
function withPlaces<T>(model: Module, body: () => T): T {
  const modules = model.namedModules();
  for (const [path, module] of modules) {
    const forward = module.forward;
    // An own property hides the method until it is deleted.
    module.forward = (...inputs) =>
      inPlace({ layer: path === '' ? 'model' : path, isBackward: false }, () =>
        forward.apply(module, inputs),
      );
  }
  try {
    return body();
  } finally {
    for (const [, module] of modules) Reflect.deleteProperty(module, 'forward');
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
