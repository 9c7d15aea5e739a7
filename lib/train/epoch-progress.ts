// SPDX-License-Identifier: Apache-2.0
// Where an epoch stands: batches done, means so far, and the means since the last point of the learning curve.
import { type CurvePoint, RunningMean, Stopwatch } from './progress.js';

const CURVE_POINTS = 20; // an epoch

/** One epoch under way. */
export class EpochProgress {
  /** The first is 1. */
  readonly epoch: number;
  readonly batches: number;
  readonly mean = new RunningMean();
  readonly watch = new Stopwatch().start();
  /** Batches done. */
  batch = 0;
  readonly #sinceCurvePoint = new RunningMean();

  constructor(epoch: number, batches: number) {
    this.epoch = epoch;
    this.batches = batches;
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
