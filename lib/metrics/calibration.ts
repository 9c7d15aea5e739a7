// SPDX-License-Identifier: Apache-2.0
// Whether a model is right as often as it is sure: the expected calibration error.
import { checkWhole, fail } from '../errors.js';

/** One bin: samples whose confidence lies above `low` and up to `high`. */
export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  readonly samples: number;
  /** Share of the samples that are right, and their mean confidence; 0 for an empty bin. */
  readonly accuracy: number;
  readonly confidence: number;
}

const MOST_BINS = 1_000_000;

/** Counts samples by how sure the model was of its answer. */
export class Calibration {
  readonly #samples: number[];
  readonly #right: number[];
  readonly #confidence: number[];

  /** @param bins of equal width, at most a million */
  constructor(op: string, bins: number) {
    if (checkWhole(op, 'bins', bins) > MOST_BINS) {
      throw fail('ERR_ARGUMENT', { op, expected: `at most ${MOST_BINS} bins`, received: `${bins}` });
    }
    const zeros = () => new Array<number>(bins).fill(0);
    [this.#samples, this.#right, this.#confidence] = [zeros(), zeros(), zeros()];
  }

  /** A sample: the largest of its probabilities, and whether that was its label's. */
  add(confidence: number, isRight: boolean): void {
    const bins = this.#samples.length;
    const above = Math.ceil(confidence * bins) - 1;
    const bin = above > 0 ? Math.min(above, bins - 1) : 0; // the first for NaN as well, which it then holds
    this.#samples[bin] += 1;
    this.#right[bin] += isRight ? 1 : 0;
    this.#confidence[bin] += confidence;
  }

  /** What a reliability diagram shows. */
  get bins(): CalibrationBin[] {
    const width = 1 / this.#samples.length;
    return this.#samples.map((samples, i) => ({
      low: i * width,
      high: (i + 1) * width,
      samples,
      accuracy: samples === 0 ? 0 : this.#right[i] / samples,
      confidence: samples === 0 ? 0 : this.#confidence[i] / samples,
    }));
  }

  /** The mean over samples of how far accuracy and confidence of their bin are apart (Guo et al. 2017); 0 without samples. */
  get error(): number {
    const all = this.#samples.reduce((sum, count) => sum + count, 0);
    const apart = this.#right.reduce((sum, right, i) => sum + Math.abs(right - this.#confidence[i]), 0);
    return all === 0 ? 0 : apart / all;
  }
}
