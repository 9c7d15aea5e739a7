// SPDX-License-Identifier: Apache-2.0
// Where an epoch stands: batches done, means so far, and the means since the last point of the learning curve.
import { type CurvePoint, RunningMean, Stopwatch, type Sums } from './progress.js';

const CURVE_POINTS = 20; // an epoch

/** An epoch under way in plain numbers. */
export interface EpochState {
  readonly epoch: number;
  readonly batch: number;
  readonly seconds: number;
  readonly mean: Sums;
  readonly sinceCurvePoint: Sums;
}

/** One epoch under way. */
export class EpochProgress {
  /** The first is 1. */
  readonly epoch: number;
  /** Infinity where nobody knows before the end. */
  batches: number;
  readonly mean: RunningMean;
  readonly watch: Stopwatch;
  /** Batches done. */
  batch: number;
  readonly #sinceCurvePoint: RunningMean;

  /** @param state where an interrupted one stood */
  constructor(epoch: number, batches: number, state?: EpochState) {
    this.epoch = epoch;
    this.batches = batches;
    this.batch = state?.batch ?? 0;
    this.mean = new RunningMean(state?.mean);
    this.#sinceCurvePoint = new RunningMean(state?.sinceCurvePoint);
    this.watch = new Stopwatch(state?.seconds).start();
  }

  get state(): EpochState {
    const { epoch, batch, mean, watch } = this;
    return {
      ...{ epoch, batch, seconds: watch.seconds },
      ...{ mean: mean.sums, sinceCurvePoint: this.#sinceCurvePoint.sums },
    };
  }

  get isOver(): boolean {
    return this.batch === this.batches;
  }

  /** There are no more batches than were done. @returns whether a point of the learning curve is due */
  end(): boolean {
    if (this.batches < Infinity) return false;
    this.batches = this.batch;
    return this.#sinceCurvePoint.images > 0;
  }

  /** A batch was done. */
  add(loss: number, correct: number, images: number): void {
    this.batch += 1;
    this.mean.add(loss, correct, images);
    this.#sinceCurvePoint.add(loss, correct, images);
  }

  /** True where a point of the learning curve is due. */
  get isCurvePoint(): boolean {
    const stride = Math.max(1, Math.floor(this.batches / CURVE_POINTS));
    return this.batch % stride === 0 || this.batch === this.batches;
  }

  /** The means since the last point. */
  takeCurvePoint(): CurvePoint {
    const { loss, accuracy } = this.#sinceCurvePoint;
    this.#sinceCurvePoint.reset();
    return { epoch: this.epoch - 1 + this.batch / this.batches, loss, accuracy };
  }
}
