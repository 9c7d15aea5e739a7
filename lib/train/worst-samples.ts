// SPDX-License-Identifier: Apache-2.0
// The images of a data set on which a model loses most, found in one pass and little memory.
import { checkWhole } from '../errors.js';

/** An image, what it is, and what the model took it for. */
export interface WorstSample {
  /** In the data set. */
  readonly index: number;
  readonly label: number;
  readonly predicted: number;
  /** Cross-entropy between the logits and the label, in nats, whatever loss the model was trained with. */
  readonly loss: number;
  /** Probability of the predicted class by softmax, 0 to 1. */
  readonly probability: number;
  /** Probability of the label. */
  readonly labelProbability: number;
}

/** Samples are sorted when there are so many times as many as will be kept. */
const SLACK = 8;

/** Keeps those with the largest loss; of equal ones the first in the data set. Losses that are not numbers count as infinite. */
export class WorstSamples {
  readonly #count: number;
  #samples: WorstSample[] = [];

  /** @param count how many are kept */
  constructor(count: number) {
    this.#count = count;
  }

  /** Takes a sample with finite or infinite loss, or NaN. */
  add(sample: WorstSample): void {
    this.#samples.push(sample);
    if (this.#samples.length >= SLACK * this.#count) this.#samples = this.worst;
  }

  /** The worst first. */
  get worst(): WorstSample[] {
    const height = ({ loss }: WorstSample) => (Number.isNaN(loss) ? Infinity : loss);
    const order = (a: WorstSample, b: WorstSample) => {
      const [one, other] = [height(a), height(b)];
      return one === other ? a.index - b.index : other - one;
    };
    return this.#samples.sort(order).slice(0, this.#count);
  }
}

/** The option of `evaluate`, checked; nothing where none are wanted. Throws ERR_ARGUMENT. */
export function checkWorst(worst: number | undefined): number | undefined {
  return worst === undefined ? undefined : checkWhole('evaluate', 'worst', worst);
}
