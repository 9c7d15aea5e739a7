// SPDX-License-Identifier: Apache-2.0
// How a training reports: rows of its history, progress within an epoch, and the running means behind both.
import type { MetricValues } from '../metrics/names.js';

/** One epoch of a training. Accuracies are shares from 0 to 1. */
export interface HistoryRow {
  /** The first is 1. */
  readonly epoch: number;
  /** Mean over the epoch's images, each measured just before the step that learned from it. */
  readonly loss: number;
  readonly accuracy: number;
  /** On the validation set after the epoch, where there is one. */
  readonly valLoss?: number;
  readonly valAccuracy?: number;
  /** The metrics that `fit` was asked for. */
  readonly valMetrics?: MetricValues;
  /** Learning rate of the epoch's last step. */
  readonly lr: number;
  /** Time of the training steps, without validation. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

/** A point of the learning curve: the mean over some consecutive batches. */
export interface CurvePoint {
  /** Where in the training the batches end, in epochs: 0.5 is half of the first. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
}

/** One step. */
export interface BatchReport {
  readonly epoch: number;
  /** Position in the epoch; the first is 1. */
  readonly batch: number;
  readonly batches: number;
  /** Steps since the training began, this one included. */
  readonly step: number;
  readonly loss: number;
  /** Share of the batch that the model had right before the step. */
  readonly accuracy: number;
  readonly lr: number;
}

/** How far a training is. */
export interface ProgressReport {
  readonly epoch: number;
  /** Infinity with a budget of time. */
  readonly epochs: number;
  readonly batch: number;
  readonly batches: number;
  /** Means over the epoch so far. */
  readonly loss: number;
  readonly accuracy: number;
  readonly imagesPerSecond: number;
  /** Until the end of the epoch and of the training, at the present speed, validation not counted. */
  readonly epochSecondsLeft: number;
  readonly secondsLeft: number;
}

/** What means are made of: sums over images. */
export interface Sums {
  readonly loss: number;
  readonly correct: number;
  readonly images: number;
}

/** Means of loss and accuracy over images. */
export class RunningMean {
  #loss = 0;
  #correct = 0;
  #images = 0;

  constructor(sums?: Sums) {
    this.#loss = sums?.loss ?? 0;
    this.#correct = sums?.correct ?? 0;
    this.#images = sums?.images ?? 0;
  }

  get sums(): Sums {
    return { loss: this.#loss, correct: this.#correct, images: this.#images };
  }

  /** @param loss mean over the batch */
  add(loss: number, correct: number, images: number): void {
    this.#loss += loss * images;
    this.#correct += correct;
    this.#images += images;
  }

  get images(): number {
    return this.#images;
  }

  get loss(): number {
    return this.#loss / this.#images;
  }

  get accuracy(): number {
    return this.#correct / this.#images;
  }

  reset(): void {
    this.#loss = 0;
    this.#correct = 0;
    this.#images = 0;
  }
}

/** Measures time that counts: it can be stopped while something else is done. */
export class Stopwatch {
  #total: number;
  #since: number | undefined;

  /** @param seconds that were measured before */
  constructor(seconds = 0) {
    this.#total = 1000 * seconds;
  }

  start(): this {
    this.#since ??= performance.now();
    return this;
  }

  stop(): void {
    this.#total = this.#milliseconds();
    this.#since = undefined;
  }

  get seconds(): number {
    return this.#milliseconds() / 1000;
  }

  #milliseconds(): number {
    return this.#total + (this.#since === undefined ? 0 : performance.now() - this.#since);
  }
}
