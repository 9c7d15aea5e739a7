// SPDX-License-Identifier: Apache-2.0
// Epochs of captured steps over a stream. While steps run, the next batches are read and copied, up to a bound; the recorded
// step normalises and changes the images itself, as it does with those of a data set.
import {
  placesOf,
  type StreamedRows,
  type StreamedTensors,
  type StreamLoader,
} from '../data/stream-loader.js';
import type { PlanOptions } from '../native/addon.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { type BatchRows, dividedMix, rowsOf } from './batch-rows.js';
import type { CapturedEpochOptions, EpochRunner } from './captured-epoch.js';
import type { MannersOptions } from './manners.js';
import { type FailedStep, isNotFinite } from './not-finite.js';
import type { CapturedStep, StreamSpecs } from './plan.js';
import { RecordedSteps } from './recorded-steps.js';
import { type BatchArrays, type Chunk, defaultPrefetch } from './sources.js';
import { BatchPump } from './sources-batches.js';
import type { Learner } from './train-step.js';
import { untilAborted } from './until-aborted.js';

/** The training of a model on a stream. */
export class StreamTraining implements EpochRunner {
  readonly #learner: Learner;
  readonly #loader: StreamLoader;
  readonly #manners: MannersOptions;
  readonly #steps: RecordedSteps;
  #refused: FailedStep | undefined;
  #running: CapturedStep | undefined;

  constructor(
    learner: Learner,
    loader: StreamLoader,
    manners: MannersOptions,
    planning: PlanOptions,
    microBatches: number | true,
  ) {
    this.#learner = learner;
    this.#loader = loader;
    this.#manners = manners;
    const rows = (inputs: Readonly<Record<string, Tensor>>) =>
      streamedRows(loader, inputs as StreamedTensors);
    const inputs = { batchSize: loader.batchSize, specs: (batch: number) => this.#specs(batch), rows };
    this.#steps = new RecordedSteps(learner, inputs, planning, microBatches);
  }

  #specs(batch: number): StreamSpecs {
    const { dataset, dtype } = this.#loader;
    return {
      images: { shape: [batch, ...dataset.imageShape], dtype },
      labels: { shape: [batch], dtype: 'int32' },
      indices: { shape: [batch], dtype: 'int32' },
    };
  }

  prepare(): string | undefined {
    const { dataset, batchSize } = this.#loader;
    const { length = batchSize } = dataset;
    const full = length >= batchSize ? [batchSize] : [];
    return this.#steps.prepare(...full, ...(length % batchSize > 0 ? [length % batchSize] : []));
  }

  get stepBytes(): number {
    return this.#steps.bytes;
  }

  get refused(): FailedStep | undefined {
    return this.#refused;
  }

  /** Batches in each of two areas, of which one is filled while the other is run. */
  get #prefetch(): number {
    const { dataset, batchSize } = this.#loader;
    if (dataset.buffer === undefined) return defaultPrefetch(this.#specs(batchSize));
    return Math.max(1, Math.floor((dataset.buffer / batchSize - 1) / 2)); // a batch is being put together besides
  }

  async epoch(options: CapturedEpochOptions): Promise<boolean> {
    const loader = this.#loader;
    const { signal } = options;
    loader.startEpoch();
    const plan = this.#steps.of(loader.batchSize);
    const iterator = loader.fullBatches() as AsyncIterator<BatchArrays>;
    const specs = this.#specs(loader.batchSize);
    const pump = new BatchPump({ iterator, plan, specs, prefetch: this.#prefetch, steps: Infinity });
    let done = 0;
    try {
      for (;;) {
        const chunk = await untilAborted(pump.next(Infinity), signal);
        if (signal?.aborted) return false;
        if (chunk === undefined) break;
        if (!(await this.#run(chunk, done, options))) return false;
        done += chunk.steps;
      }
    } finally {
      await pump.close();
    }
    const { tail } = loader;
    if (tail === undefined) return true;
    const streams: BatchArrays = { ...tail };
    return this.#run({ plan: this.#steps.of(tail.labels.length), steps: 1, streams }, done, options);
  }

  /** Runs the steps of a chunk; false if something ended them. */
  async #run(
    { plan, steps, streams }: Chunk,
    first: number,
    options: CapturedEpochOptions,
  ): Promise<boolean> {
    const batch = streams.labels.length / steps;
    for (let done = 0; done < steps; ) {
      const count = Math.min(steps - done, options.stepsInOneGo());
      const slice = (from: number, count: number) => sliceOf(streams, steps, from, count);
      const before = plan.stepsDone;
      const from = first + done;
      this.#running = plan;
      try {
        const result = await plan.run({
          ...this.#manners,
          steps: count,
          streams: slice(done, count),
          signal: options.signal,
          beforeStep: (step) => options.beforeStep(from + step),
          onSteps: (begin, end, { loss, correct }) => {
            for (let i = 0; i < end - begin; i++) options.onStep(loss[i], correct[i], batch);
            options.onReport();
          },
        });
        done += result.steps;
      } catch (error) {
        const rows = slice(done + plan.stepsDone - before, 1) as unknown as StreamedRows;
        this.#refused = isNotFinite(error) ? failedStreamStep(this.#learner, this.#loader, rows) : undefined;
        throw error;
      } finally {
        this.#running = undefined;
      }
      if (!(await options.between())) return false;
    }
    return true;
  }

  pause(): void {
    this.#running?.stop();
  }

  recordAgain(): void {
    this.#steps.dispose();
  }

  dispose(): void {
    this.#steps.dispose();
  }
}

function sliceOf(streams: BatchArrays, steps: number, from: number, count: number): BatchArrays {
  const slices = Object.entries(streams).map(([name, array]) => {
    const size = array.length / steps;
    return [name, array.subarray(from * size, (from + count) * size)] as const;
  });
  return Object.fromEntries(slices);
}

/** The inputs of a step, of which a part takes only its own rows. */
function streamedRows(loader: StreamLoader, { images, labels, indices }: StreamedTensors): BatchRows {
  const places = tensor(placesOf(labels.size));
  return (first, end) => {
    const some = rowsOf(indices, first, end);
    const targets = loader.targetsOf(labels, indices);
    if (targets !== undefined && some !== indices) throw dividedMix();
    return {
      labels: rowsOf(labels, first, end),
      ...(targets && { targets }),
      images: loader.imagesAt({ images, indices: some }, rowsOf(places, first, end)),
    };
  };
}

/** A step on a batch of a stream, for its error. */
export function failedStreamStep(
  { model, loss }: Learner,
  loader: StreamLoader,
  rows: StreamedRows,
): FailedStep {
  return {
    model,
    images: () => loader.batchOf(rows).images,
    loss: (logits) => {
      const { targets, labels } = loader.batchOf(rows);
      return loss(logits, targets ?? labels);
    },
    imageAt: (row) => rows.indices[row],
  };
}
