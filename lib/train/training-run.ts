// SPDX-License-Identifier: Apache-2.0
// The training loop. One step: batch, forward, loss, backward, update; everything a step makes is freed with it.
import { setImmediate } from 'node:timers/promises';
import { type Batch, DataLoader } from '../data/loader.js';
import type { StreamLoader } from '../data/stream-loader.js';
import type { ReceptiveError } from '../errors.js';
import { recordDraws } from '../tensor/random.js';
import { tensorScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { givenRows } from './batch-rows.js';
import type { Budget } from './budget.js';
import { type EpochRunner, failedStepOf } from './captured-epoch.js';
import type { Progress } from './checkpoint-shape.js';
import type { Checkpoints } from './checkpoints.js';
import type { EarlyStopping } from './early-stopping.js';
import { EpochProgress, type EpochState } from './epoch-progress.js';
import { type Evaluation, evaluateBatches } from './evaluate.js';
import type { FitOptions, TrainingResult } from './fit.js';
import type { Freezing } from './freezing.js';
import type { MannersOptions } from './manners.js';
import { explainNotFinite, type FailedStep, isNotFinite } from './not-finite.js';
import { type CurvePoint, type HistoryRow, Stopwatch } from './progress.js';
import { type LoggedEnd, type LogOptions, RunLog } from './run-log.js';
import { SavedBuffers } from './saved-buffers.js';
import type { Rates } from './schedules.js';
import { inMode, inSlices } from './slices.js';
import { failedStreamStep } from './stream-training.js';
import { type Learner, requireFinite, trainOn } from './train-step.js';
import { untilAborted } from './until-aborted.js';

const PROGRESS_INTERVAL = 100; // ms

/** What keeps a training, and how far it was where it goes on. */
export interface Kept {
  readonly checkpoints?: Checkpoints | undefined;
  readonly progress?: Progress | undefined;
  readonly stopping?: EarlyStopping | undefined;
  readonly budget?: Budget | undefined;
  readonly freezing?: Freezing | undefined;
  readonly log?: LogOptions | undefined;
  /** What is validated: the model that learns, or its averages. */
  readonly judged?: Learner['model'];
  /** The options as they stand in the log. */
  readonly settings?: object;
}

/** One call of `fit`, after its checks. */
export class TrainingRun {
  readonly #learner: Learner;
  readonly #loader: DataLoader | StreamLoader;
  readonly #rates: Rates;
  readonly #epochs: number;
  readonly #options: FitOptions;
  readonly #captured: EpochRunner | undefined;
  readonly #checkpoints: Checkpoints | undefined;
  readonly #stopping: EarlyStopping | undefined;
  readonly #budget: Budget | undefined;
  readonly #kept: Kept;

  readonly #history: HistoryRow[];
  readonly #curve: CurvePoint[];
  readonly #watch: Stopwatch;
  #step: number;
  #images: number;
  /** The epoch that was interrupted. */
  #interrupted: EpochState | null;
  #reported = 0;
  #log: RunLog | undefined;

  constructor(
    learner: Learner,
    loader: DataLoader | StreamLoader,
    rates: Rates,
    epochs: number,
    options: FitOptions,
    captured: EpochRunner | undefined,
    kept: Kept = {},
  ) {
    this.#learner = learner;
    this.#loader = loader;
    this.#rates = rates;
    this.#epochs = epochs;
    this.#options = options;
    this.#captured = captured;
    this.#checkpoints = kept.checkpoints;
    this.#stopping = kept.stopping;
    this.#budget = kept.budget;
    this.#kept = kept;
    const before = kept.progress;
    this.#history = [...(before?.history ?? [])];
    this.#curve = [...(before?.curve ?? [])];
    this.#watch = new Stopwatch(before?.seconds);
    this.#step = before?.step ?? 0;
    this.#images = before?.images ?? 0;
    this.#interrupted = before?.epoch ?? null;
  }

  /** Runs all epochs that are left, or up to the step in which the signal comes. */
  async toTheEnd(validation: DataLoader | null, classes: number): Promise<TrainingResult> {
    const { log, settings = {} } = this.#kept;
    this.#log = log && (await RunLog.open(log, settings, this.#history, this.#curve));
    this.#checkpoints?.start(() => this.#captured?.pause());
    try {
      const underWay = await this.#runEpochs(validation, classes);
      await this.#checkpoints?.afterAll(this.#state(underWay), !this.#isCutShort);
    } finally {
      await this.#checkpoints?.close();
      await this.#log?.close(this.#end);
    }
    const { seconds } = this.#watch;
    return {
      history: this.#history,
      curve: this.#curve,
      steps: this.#step,
      aborted: this.#isCutShort,
      stoppedEarly: this.#stopping?.isOver === true,
      bestEpoch: this.#stopping?.bestEpoch,
      seconds,
      imagesPerSecond: seconds > 0 ? this.#images / seconds : 0,
    };
  }

  get #end(): LoggedEnd {
    return { steps: this.#step, seconds: this.#watch.seconds, stopped: this.#isCutShort };
  }

  /** Returns the epoch that the signal has ended, where there is one. */
  async #runEpochs(validation: DataLoader | null, classes: number): Promise<EpochState | null> {
    for (let epoch = this.#history.length + 1; epoch <= this.#epochs && !this.#isOver; epoch++) {
      if (this.#kept.freezing?.before(epoch) === true) this.#captured?.recordAgain();
      const progress = await this.#epoch(epoch);
      if (!progress.isOver && !this.#isTimeUp) return progress.state;
      if (this.#isTimeUp || epoch === this.#epochs) this.#learner.lookahead?.finish();
      const tested = validation === null ? undefined : await this.#validate(validation, classes);
      const row = this.#row(progress, tested);
      this.#history.push(row);
      this.#log?.note();
      const isWhole = validation === null || tested !== undefined;
      if (isWhole) this.#rates.afterEpoch(row); // else when it goes on
      await this.#options.onEpoch?.(row);
      this.#budget?.plan(this.#step, this.#watch.seconds); // what came after the epoch took time as well
      if (!isWhole) return progress.state; // it is validated when it goes on
      this.#stopping?.afterEpoch(row);
      await this.#checkpoints?.afterEpoch(() => this.#state(null), this.#step, row);
    }
    return this.#interrupted;
  }

  get #manners(): MannersOptions {
    const { threads, priority, cpuShare } = this.#options;
    return { threads, priority, cpuShare };
  }

  get #isAborted(): boolean {
    return this.#options.signal?.aborted === true;
  }

  /** Whether no epoch is to begin. */
  get #isOver(): boolean {
    return this.#isAborted || this.#isTimeUp || this.#stopping?.isOver === true;
  }

  get #isTimeUp(): boolean {
    return this.#budget?.isOver(this.#step) === true;
  }

  /** Whether steps are left that the signal has ended. */
  get #isCutShort(): boolean {
    const isDone = this.#isTimeUp || this.#stopping?.isOver === true;
    const isShort =
      this.#loader.length < Infinity
        ? this.#step < this.#epochs * this.#loader.length
        : this.#history.length < this.#epochs;
    return isShort && !isDone;
  }

  /** How far the training is, with an epoch under way or between two. */
  #state(epoch: EpochState | null): Progress {
    const history = epoch === null ? this.#history : this.#history.slice(0, epoch.epoch - 1);
    const { seconds } = this.#watch;
    return { step: this.#step, images: this.#images, seconds, history, curve: this.#curve, epoch };
  }

  /** Nothing where the signal ended it. */
  async #validate(validation: DataLoader, classes: number): Promise<Evaluation | undefined> {
    const { model, loss } = this.#learner;
    const { signal, metrics } = this.#options;
    const options = { signal, metrics, loss };
    const tested = await evaluateBatches(
      this.#kept.judged ?? model,
      validation,
      classes,
      options,
      this.#manners,
    );
    if (tested !== undefined) this.#budget?.noteValidation(tested.seconds);
    return tested;
  }

  /** What is left of a pass over the data set, or as much of it as the signal lets through. */
  async #epoch(epoch: number): Promise<EpochProgress> {
    const progress = new EpochProgress(epoch, this.#loader.length, this.#interrupted ?? undefined);
    this.#interrupted = null;
    if (progress.isOver) {
      if (this.#loader instanceof DataLoader) this.#loader.state = { epoch, batch: 0 };
      return progress;
    }
    this.#watch.start();
    try {
      if (this.#captured !== undefined) await this.#capturedEpoch(progress, this.#captured);
      else if (this.#loader instanceof DataLoader) await this.#eagerEpoch(progress, this.#loader);
      else await this.#eagerStream(progress, this.#loader);
    } finally {
      this.#watch.stop();
    }
    return progress;
  }

  #row({ epoch, mean, watch }: EpochProgress, tested: Evaluation | undefined): HistoryRow {
    const { loss, accuracy, images } = mean;
    const { seconds } = watch;
    const validated = tested && {
      valLoss: tested.loss,
      valAccuracy: tested.accuracy,
      ...(tested.metrics && { valMetrics: tested.metrics }),
    };
    const { lr } = this.#learner.optimizer;
    return { epoch, loss, accuracy, ...validated, lr, seconds, imagesPerSecond: images / seconds };
  }

  async #eagerEpoch(progress: EpochProgress, loader: DataLoader): Promise<void> {
    const iterator = loader[Symbol.iterator]();
    using buffers = new SavedBuffers(this.#learner.model);
    const step = (): boolean => {
      const batch: Batch = iterator.next().value;
      const failed = () => failedStepOf(this.#learner, loader, batch.indices);
      const { loss, correct, images } = this.#oneStep(batch, buffers, progress, failed);
      this.#account(progress, loss, correct, images);
      const isDue = this.#checkpoints?.isDue(this.#step) === true || this.#budget?.isDue(this.#step) === true;
      return !progress.isOver && !isDue && !this.#isAborted;
    };
    const { model } = this.#learner;
    try {
      do {
        await inSlices(model, true, step, this.#options.signal, () => this.#report(progress));
      } while (await this.#between(progress));
    } finally {
      iterator.return?.();
    }
  }

  /** Steps on the batches of a stream, each asked for when the one before it is done. */
  async #eagerStream(progress: EpochProgress, loader: StreamLoader): Promise<void> {
    const { model } = this.#learner;
    const { signal } = this.#options;
    using buffers = new SavedBuffers(model);
    loader.startEpoch();
    do {
      const rows = await untilAborted(loader.next(), signal);
      if (signal?.aborted) return;
      if (rows === undefined) return this.#endStream(progress);
      const failed = () => failedStreamStep(this.#learner, loader, rows);
      const { loss, correct, images } = inMode(model, true, () =>
        this.#oneStep(loader.batchOf(rows), buffers, progress, failed),
      );
      this.#account(progress, loss, correct, images);
      this.#report(progress);
      await setImmediate(); // a source in memory would hold the event loop
    } while (await this.#between(progress));
  }

  #endStream(progress: EpochProgress): void {
    if (progress.end()) this.#curve.push(progress.takeCurvePoint());
  }

  /** Between two steps of an epoch, whether there is a next one; a checkpoint that is due at its end waits for the validation. */
  async #between(progress: EpochProgress): Promise<boolean> {
    if (this.#isAborted) return false;
    if (this.#budget?.isDue(this.#step)) this.#budget.plan(this.#step, this.#watch.seconds);
    if (progress.isOver || this.#isTimeUp) return false;
    await this.#checkpoints?.afterStep(() => this.#state(progress.state), this.#step);
    return true;
  }

  /** Steps that may be done in one go. */
  get #stepsAhead(): number {
    if (this.#options.onBatch !== undefined) return 1;
    const step = this.#step;
    return Math.min(
      this.#checkpoints?.stepsAfter(step) ?? Infinity,
      this.#budget?.stepsAfter(step) ?? Infinity,
    );
  }

  async #capturedEpoch(progress: EpochProgress, captured: EpochRunner): Promise<void> {
    const first = this.#step;
    try {
      const isWhole = await captured.epoch({
        signal: this.#options.signal,
        stepsInOneGo: () => this.#stepsAhead,
        between: () => this.#between(progress),
        beforeStep: (step) => this.#rates.beforeStep(first + step),
        onStep: (loss, correct, images) => {
          this.#rates.beforeStep(this.#step); // the rates of all steps were set before; reports are to show this step's
          this.#account(progress, loss, correct, images);
        },
        onReport: () => this.#report(progress),
      });
      if (isWhole) this.#endStream(progress);
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
    if (progress.isCurvePoint) {
      this.#curve.push(progress.takeCurvePoint());
      this.#log?.note();
    }
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
  #oneStep(batch: Batch, buffers: SavedBuffers, progress: EpochProgress, failed: () => FailedStep) {
    buffers.save();
    try {
      const { result, draws } = recordDraws(() => tensorScope(() => this.#compute(batch)));
      for (const [generator, { perStep }] of draws) generator.advance(perStep);
      return result;
    } catch (error) {
      buffers.restore();
      throw isNotFinite(error) ? this.#notFinite(error, failed(), progress) : error;
    } finally {
      batch.dispose();
    }
  }

  #compute({ images, labels, indices, targets }: Batch) {
    const learner = this.#learner;
    const check = (loss: Tensor) => {
      requireFinite(loss);
      this.#rates.beforeStep(this.#step);
    };
    const samples = indices.length;
    const { microBatches } = this.#options;
    const parts = typeof microBatches === 'number' ? microBatches : 1;
    const size = this.#loader.batchSize / parts;
    const { loss, correct } = trainOn(
      learner,
      givenRows({ images, labels, ...(targets && { targets }) }),
      samples,
      size,
      check,
    );
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
      secondsLeft:
        this.#budget?.secondsLeft ?? secondsPerBatch * (batches * (this.#epochs - epoch + 1) - batch),
    });
  }

  /** The error of a refused step. */
  #notFinite(refusal: ReceptiveError, step: FailedStep, { epoch, batch }: EpochProgress) {
    const where = `step ${this.#step + 1} (epoch ${epoch}, batch ${batch + 1}), lr ${this.#learner.optimizer.lr}`;
    return explainNotFinite('fit', refusal, where, step);
  }
}
