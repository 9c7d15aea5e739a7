// SPDX-License-Identifier: Apache-2.0
// The training loop. One step: batch, forward, loss, backward, update; everything a step makes is freed with it.
import type { Batch, DataLoader } from '../data/loader.js';
import { fail, ReceptiveError } from '../errors.js';
import type { Module } from '../nn/module.js';
import type { Optimizer } from '../optim/optimizer.js';
import { tensorScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { givenRows } from './batch-rows.js';
import type { CapturedTraining } from './captured-epoch.js';
import { EpochProgress } from './epoch-progress.js';
import { evaluateBatches } from './evaluate.js';
import type { FitOptions, FitResult } from './fit.js';
import { type CurvePoint, type HistoryRow, Stopwatch } from './progress.js';
import { inSlices } from './slices.js';
import { trainOn } from './train-step.js';

const PROGRESS_INTERVAL = 100; // ms

/** What a training run tells of itself. */
export type TrainingResult = Omit<FitResult, 'captured' | 'notCaptured'>;

/** One call of `fit`, after its checks. */
export class TrainingRun {
  readonly #model: Module;
  readonly #loader: DataLoader;
  readonly #optimizer: Optimizer;
  readonly #setLr: (step: number) => void;
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
    model: Module,
    loader: DataLoader,
    optimizer: Optimizer,
    setLr: (step: number) => void,
    epochs: number,
    options: FitOptions,
    captured: CapturedTraining | undefined,
  ) {
    this.#model = model;
    this.#loader = loader;
    this.#optimizer = optimizer;
    this.#setLr = setLr;
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
          : await evaluateBatches(this.#model, validation, classes, this.#options.signal);
      const { epoch: number, loss, accuracy, ...rest } = row;
      const validated = tested && { valLoss: tested.loss, valAccuracy: tested.accuracy };
      const whole = { epoch: number, loss, accuracy, ...validated, ...rest };
      this.#history.push(whole);
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
    return { epoch, loss, accuracy, lr: this.#optimizer.lr, seconds, imagesPerSecond: images / seconds };
  }

  async #eagerEpoch(progress: EpochProgress): Promise<void> {
    const iterator = this.#loader[Symbol.iterator]();
    const step = (): boolean => {
      const { loss, correct, images } = this.#oneStep(iterator, progress);
      this.#account(progress, loss, correct, images);
      return progress.batch < progress.batches && !this.#isAborted;
    };
    try {
      await inSlices(this.#model, true, step, this.#options.signal, () => this.#report(progress));
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
        beforeStep: (step) => this.#setLr(first + step),
        onStep: (loss, correct, images) => {
          this.#setLr(this.#step); // the rates of all steps were set before; reports are to show this step's
          this.#account(progress, loss, correct, images);
        },
        onReport: () => this.#report(progress),
      });
    } catch (error) {
      if (!(error instanceof ReceptiveError) || error.code !== 'ERR_NUMERICS') throw error;
      this.#setLr(this.#step);
      throw this.#notFinite(error.received, progress);
    }
  }

  /** Takes note of a step that was done. */
  #account(progress: EpochProgress, loss: number, correct: number, images: number): void {
    this.#step += 1;
    this.#images += images;
    progress.add(loss, correct, images);
    if (progress.isCurvePoint) this.#curve.push(progress.takeCurvePoint());
    const { epoch, batch, batches } = progress;
    const { lr } = this.#optimizer;
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

  #oneStep(iterator: Iterator<Batch>, progress: EpochProgress) {
    return tensorScope(() => {
      const { images, labels, indices } = iterator.next().value;
      const learner = { model: this.#model, optimizer: this.#optimizer };
      const check = (loss: Tensor) => {
        const value = loss.item();
        if (!Number.isFinite(value)) throw this.#notFinite(String(value), progress);
        this.#setLr(this.#step);
      };
      const samples = indices.length;
      const { microBatches } = this.#options;
      const parts = typeof microBatches === 'number' ? microBatches : 1;
      const size = this.#loader.batchSize / parts;
      const { loss, correct } = trainOn(learner, givenRows({ images, labels }), samples, size, check);
      return { loss: loss.item(), correct: (correct as Tensor).item(), images: samples };
    });
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

  #notFinite(loss: string, { epoch, batch }: EpochProgress) {
    return fail('ERR_NUMERICS', {
      op: 'fit',
      expected: 'a finite loss',
      received: `${loss} at step ${this.#step + 1} (epoch ${epoch}, batch ${batch + 1}), lr ${this.#optimizer.lr}`,
      hint: 'a smaller learning rate usually helps; the model keeps the weights of the step before',
    });
  }
}
