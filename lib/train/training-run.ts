// SPDX-License-Identifier: Apache-2.0
// The training loop. One step: batch, forward, loss, backward, update; everything a step makes is freed with it.
import type { Batch, DataLoader } from '../data/loader.js';
import type { ReceptiveError } from '../errors.js';
import { tensor } from '../tensor/create.js';
import { recordDraws } from '../tensor/random.js';
import { tensorScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { givenRows } from './batch-rows.js';
import type { CapturedTraining } from './captured-epoch.js';
import { EpochProgress } from './epoch-progress.js';
import { evaluateBatches } from './evaluate.js';
import type { FitOptions, FitResult } from './fit.js';
import type { MannersOptions } from './manners.js';
import { explainNotFinite, type FailedStep, isNotFinite } from './not-finite.js';
import { type CurvePoint, type HistoryRow, Stopwatch } from './progress.js';
import { SavedBuffers } from './saved-buffers.js';
import type { Rates } from './schedules.js';
import { inSlices } from './slices.js';
import { type Learner, requireFinite, trainOn } from './train-step.js';

const PROGRESS_INTERVAL = 100; // ms

/** What a training run tells of itself. */
export type TrainingResult = Omit<FitResult, 'captured' | 'notCaptured'>;

/** One call of `fit`, after its checks. */
export class TrainingRun {
  readonly #learner: Learner;
  readonly #loader: DataLoader;
  readonly #rates: Rates;
  readonly #epochs: number;
  readonly #options: FitOptions;
  readonly #captured: CapturedTraining | undefined;

  readonly #history: HistoryRow[] = [];
  readonly #curve: CurvePoint[] = [];
  readonly #watch = new Stopwatch();
  #step = 0;
  #images = 0;
  #reported = 0;

  constructor(
    learner: Learner,
    loader: DataLoader,
    rates: Rates,
    epochs: number,
    options: FitOptions,
    captured: CapturedTraining | undefined,
  ) {
    this.#learner = learner;
    this.#loader = loader;
    this.#rates = rates;
    this.#epochs = epochs;
    this.#options = options;
    this.#captured = captured;
  }

  /** Runs all epochs, or up to the step in which the signal comes. */
  async toTheEnd(validation: DataLoader | null, classes: number): Promise<TrainingResult> {
    for (let epoch = 1; epoch <= this.#epochs && !this.#isAborted; epoch++) {
      const row = await this.#epoch(epoch);
      if (row === undefined) break;
      const tested =
        validation === null
          ? undefined
          : await evaluateBatches(
              this.#learner.ema?.model ?? this.#learner.model,
              validation,
              classes,
              { signal: this.#options.signal, metrics: this.#options.metrics, loss: this.#learner.loss },
              this.#manners,
            );
      const { epoch: number, loss, accuracy, ...rest } = row;
      const validated = tested && {
        valLoss: tested.loss,
        valAccuracy: tested.accuracy,
        ...(tested.metrics && { valMetrics: tested.metrics }),
      };
      const whole = { epoch: number, loss, accuracy, ...validated, ...rest };
      this.#history.push(whole);
      this.#rates.afterEpoch(whole);
      await this.#options.onEpoch?.(whole);
    }
    const { seconds } = this.#watch;
    return {
      history: this.#history,
      curve: this.#curve,
      steps: this.#step,
      aborted: this.#step < this.#epochs * this.#loader.length,
      seconds,
      imagesPerSecond: seconds > 0 ? this.#images / seconds : 0,
    };
  }

  get #manners(): MannersOptions {
    const { threads, priority, cpuShare } = this.#options;
    return { threads, priority, cpuShare };
  }

  get #isAborted(): boolean {
    return this.#options.signal?.aborted === true;
  }

  /** One pass over the data set; nothing if the signal ended it. */
  async #epoch(epoch: number): Promise<HistoryRow | undefined> {
    const progress = new EpochProgress(epoch, this.#loader.length);
    this.#watch.start();
    try {
      if (this.#captured === undefined) {
        await this.#eagerEpoch(progress);
      } else {
        await this.#capturedEpoch(progress, this.#captured);
      }
    } finally {
      this.#watch.stop();
    }
    if (progress.batch < progress.batches) return undefined;
    const { loss, accuracy, images } = progress.mean;
    const { seconds } = progress.watch;
    return {
      epoch,
      loss,
      accuracy,
      lr: this.#learner.optimizer.lr,
      seconds,
      imagesPerSecond: images / seconds,
    };
  }

  async #eagerEpoch(progress: EpochProgress): Promise<void> {
    const iterator = this.#loader[Symbol.iterator]();
    using buffers = new SavedBuffers(this.#learner.model);
    const step = (): boolean => {
      const { loss, correct, images } = this.#oneStep(iterator.next().value, buffers, progress);
      this.#account(progress, loss, correct, images);
      return progress.batch < progress.batches && !this.#isAborted;
    };
    try {
      await inSlices(this.#learner.model, true, step, this.#options.signal, () => this.#report(progress));
    } finally {
      iterator.return?.();
    }
  }

  async #capturedEpoch(progress: EpochProgress, captured: CapturedTraining): Promise<void> {
    const first = this.#step;
    try {
      await captured.epoch({
        signal: this.#options.signal,
        oneByOne: this.#options.onBatch !== undefined,
        beforeStep: (step) => this.#rates.beforeStep(first + step),
        onStep: (loss, correct, images) => {
          this.#rates.beforeStep(this.#step); // the rates of all steps were set before; reports are to show this step's
          this.#account(progress, loss, correct, images);
        },
        onReport: () => this.#report(progress),
      });
    } catch (error) {
      if (!isNotFinite(error) || captured.refused === undefined) throw error;
      this.#rates.beforeStep(this.#step);
      throw this.#notFinite(error, captured.refused, progress);
    }
  }

  /** Takes note of a step that was done. */
  #account(progress: EpochProgress, loss: number, correct: number, images: number): void {
    this.#step += 1;
    this.#images += images;
    progress.add(loss, correct, images);
    if (progress.isCurvePoint) this.#curve.push(progress.takeCurvePoint());
    const { epoch, batch, batches } = progress;
    const { lr } = this.#learner.optimizer;
    this.#options.onBatch?.({
      epoch,
      batch,
      batches,
      step: this.#step,
      loss,
      accuracy: correct / images,
      lr,
    });
  }

  /** A step on one batch. One that is refused changes nothing: running statistics and generators are put back. */
  #oneStep(batch: Batch, buffers: SavedBuffers, progress: EpochProgress) {
    buffers.save();
    try {
      const { result, draws } = recordDraws(() => tensorScope(() => this.#compute(batch)));
      for (const [generator, { perStep }] of draws) generator.advance(perStep);
      return result;
    } catch (error) {
      buffers.restore();
      throw isNotFinite(error) ? this.#notFinite(error, batch.indices, progress) : error;
    } finally {
      batch.dispose();
    }
  }

  #compute({ images, labels, indices }: Batch) {
    const learner = this.#learner;
    const check = (loss: Tensor) => {
      requireFinite(loss);
      this.#rates.beforeStep(this.#step);
    };
    const samples = indices.length;
    const { microBatches } = this.#options;
    const parts = typeof microBatches === 'number' ? microBatches : 1;
    const size = this.#loader.batchSize / parts;
    const { loss, correct } = trainOn(learner, givenRows({ images, labels }), samples, size, check);
    return { loss: loss.item(), correct: (correct as Tensor).item(), images: samples };
  }

  #report(progress: EpochProgress): void {
    const { onProgress } = this.#options;
    const { epoch, batch, batches, mean, watch } = progress;
    const now = performance.now();
    if (onProgress === undefined || (batch < batches && now - this.#reported < PROGRESS_INTERVAL)) return;
    this.#reported = now;
    const secondsPerBatch = watch.seconds / batch;
    onProgress({
      epoch,
      epochs: this.#epochs,
      batch,
      batches,
      loss: mean.loss,
      accuracy: mean.accuracy,
      imagesPerSecond: mean.images / watch.seconds,
      epochSecondsLeft: secondsPerBatch * (batches - batch),
      secondsLeft: secondsPerBatch * (batches * (this.#epochs - epoch + 1) - batch),
    });
  }

  /** The error of a refused step on these images of the data set. */
  #notFinite(refusal: ReceptiveError, rows: Int32Array, { epoch, batch }: EpochProgress) {
    const loader = this.#loader;
    const indices = tensor(rows);
    const step: FailedStep = {
      model: this.#learner.model,
      images: () => loader.imagesAt(indices),
      loss: (logits) => this.#learner.loss(logits, loader.labelsAt(indices)),
      imageAt: (row) => rows[row],
    };
    try {
      const where = `step ${this.#step + 1} (epoch ${epoch}, batch ${batch + 1}), lr ${this.#learner.optimizer.lr}`;
      return explainNotFinite('fit', refusal, where, step);
    } finally {
      indices.dispose();
    }
  }
}
