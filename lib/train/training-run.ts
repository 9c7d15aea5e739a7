// SPDX-License-Identifier: Apache-2.0
// The training loop. One step: batch, forward, loss, backward, update; everything a step makes is freed with it.
import type { DataLoader } from '../data/loader.js';
import { fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { countCorrect } from '../ops/classify.js';
import { crossEntropy } from '../ops/cross-entropy.js';
import type { Optimizer } from '../optim/optimizer.js';
import { tensorScope } from '../tensor/scope.js';
import { evaluateBatches } from './evaluate.js';
import type { FitOptions, FitResult } from './fit.js';
import { type CurvePoint, type HistoryRow, RunningMean, Stopwatch } from './progress.js';
import { inSlices } from './slices.js';

const CURVE_POINTS = 20; // an epoch
const PROGRESS_INTERVAL = 100; // ms

/** One call of `fit`, after its checks. */
export class TrainingRun {
  readonly #model: Module;
  readonly #loader: DataLoader;
  readonly #optimizer: Optimizer;
  readonly #setLr: (step: number) => void;
  readonly #epochs: number;
  readonly #options: FitOptions;

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
  ) {
    this.#model = model;
    this.#loader = loader;
    this.#optimizer = optimizer;
    this.#setLr = setLr;
    this.#epochs = epochs;
    this.#options = options;
  }

  /** Runs all epochs, or up to the step in which the signal comes. */
  async toTheEnd(validation: DataLoader | null, classes: number): Promise<FitResult> {
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
    const mean = new RunningMean();
    const window = new RunningMean();
    const watch = new Stopwatch().start();
    this.#watch.start();
    const batches = this.#loader.length;
    const stride = Math.max(1, Math.floor(batches / CURVE_POINTS));
    const iterator = this.#loader[Symbol.iterator]();
    let batch = 0;
    const step = (): boolean => {
      const { loss, correct, images } = this.#oneStep(iterator, epoch, batch + 1);
      batch += 1;
      mean.add(loss, correct, images);
      window.add(loss, correct, images);
      if (batch % stride === 0 || batch === batches) {
        const { loss, accuracy } = window;
        this.#curve.push({ epoch: epoch - 1 + batch / batches, loss, accuracy });
        window.reset();
      }
      const { step, lr } = { step: this.#step, lr: this.#optimizer.lr };
      this.#options.onBatch?.({ epoch, batch, batches, step, loss, accuracy: correct / images, lr });
      return batch < batches && !this.#isAborted;
    };
    try {
      await inSlices(this.#model, true, step, () => {
        this.#report(epoch, batch, mean, watch);
        return !this.#isAborted;
      });
    } finally {
      iterator.return?.();
      this.#watch.stop();
    }
    if (batch < batches) return undefined;
    const { seconds } = watch;
    const { loss, accuracy, images } = mean;
    const { lr } = this.#optimizer;
    return { epoch, loss, accuracy, lr, seconds, imagesPerSecond: images / seconds };
  }

  #oneStep(iterator: ReturnType<DataLoader[typeof Symbol.iterator]>, epoch: number, batch: number) {
    return tensorScope(() => {
      const { images, labels, indices } = iterator.next().value;
      const logits = this.#model.call(images);
      const loss = crossEntropy(logits, labels);
      const value = loss.item();
      if (!Number.isFinite(value)) throw this.#notFinite(value, epoch, batch);
      const correct = countCorrect(logits, labels);
      this.#setLr(this.#step);
      this.#optimizer.zeroGrad();
      loss.backward();
      this.#optimizer.step();
      this.#step += 1;
      this.#images += indices.length;
      return { loss: value, correct, images: indices.length };
    });
  }

  #report(epoch: number, batch: number, mean: RunningMean, watch: Stopwatch): void {
    const { onProgress } = this.#options;
    const batches = this.#loader.length;
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

  #notFinite(loss: number, epoch: number, batch: number) {
    return fail('ERR_NUMERICS', {
      op: 'fit',
      expected: 'a finite loss',
      received: `${loss} at step ${this.#step + 1} (epoch ${epoch}, batch ${batch}), lr ${this.#optimizer.lr}`,
      hint: 'a smaller learning rate usually helps; the model keeps the weights of the step before',
    });
  }
}
