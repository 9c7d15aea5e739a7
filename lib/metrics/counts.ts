// SPDX-License-Identifier: Apache-2.0
// All metrics of a classifier from counts, which add up over batches.
import { checkOptions, checkWhole, fail } from '../errors.js';
import { argmax, confidence, labelRank } from '../ops/classify.js';
import { tensorScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { Calibration, type CalibrationBin } from './calibration.js';
import {
  accuracyOf,
  addToConfusion,
  type ConfusionMatrix,
  checkClassCount,
  emptyConfusion,
} from './confusion.js';
import { checkAverage, type Scored, type ScoreName, type ScoreOptions, scoreOf } from './scores.js';

/** How to count. */
export interface MetricCountsOptions {
  /** Bins of equal width for the calibration error, at most a million. Default 15. */
  readonly bins?: number | undefined;
}

/** What is known of some samples: for each its label, the class with the largest logit, and what else was asked for. */
export interface CountedSamples {
  readonly labels: ArrayLike<number>;
  readonly predicted: ArrayLike<number>;
  /** How many classes come before the label. */
  readonly ranks?: ArrayLike<number> | undefined;
  /** The largest probability. */
  readonly confidence?: ArrayLike<number> | undefined;
}

/**
 * Counts answers of a classifier, batch by batch, and tells every metric of all of them: accuracy, top-k, precision, recall,
 * F1, confusion matrix, calibration error. The result does not depend on how the samples were divided.
 */
export class MetricCounts {
  readonly classes: number;
  readonly #confusion: number[][];
  /** Samples by how many classes come before their label. */
  readonly #ranks: number[];
  readonly #calibration: Calibration;

  /**
   * @param classes how many the logits tell apart
   *
   * Throws ERR_ARGUMENT, also for more than 10,000 classes: the confusion matrix has the square of that many counts.
   */
  constructor(classes: number, options: MetricCountsOptions = {}) {
    checkOptions('MetricCounts', options, ['bins']);
    this.classes = checkClassCount('MetricCounts', classes);
    this.#calibration = new Calibration('MetricCounts', options.bins ?? 15);
    this.#confusion = emptyConfusion(classes);
    this.#ranks = new Array<number>(classes).fill(0);
  }

  /**
   * Counts a batch. The answer is the class with the largest logit, the first of equal ones.
   *
   * Shapes: logits [n, classes], labels int32 [n].
   *
   * Throws ERR_SHAPE, ERR_DTYPE, ERR_DISPOSED, and ERR_DATA for a label out of range; nothing is counted then.
   */
  add(logits: Tensor, labels: Tensor): this {
    tensorScope(() => {
      const ranks = labelRank(logits, labels); // refuses what is none
      if (logits.shape[1] !== this.classes) {
        throw fail('ERR_SHAPE', {
          op: 'MetricCounts',
          expected: `logits [n, ${this.classes}]`,
          received: `[${logits.shape.join(', ')}]`,
        });
      }
      this.addSamples({
        labels: labels.data(),
        predicted: argmax(logits).data(),
        ranks: ranks.data(),
        confidence: confidence(logits).data(),
      });
    });
    return this;
  }

  /** @internal Counts samples of which this is known; metrics that need what was left out are not to be asked. */
  addSamples({ labels, predicted, ranks, confidence }: CountedSamples): void {
    addToConfusion(this.#confusion, labels, predicted);
    for (let i = 0; i < labels.length; i++) {
      if (ranks !== undefined) this.#ranks[ranks[i]] += 1;
      if (confidence !== undefined) this.#calibration.add(confidence[i], predicted[i] === labels[i]);
    }
  }

  /** Samples counted. */
  get samples(): number {
    return this.#confusion.reduce((sum, row) => row.reduce((total, count) => total + count, sum), 0);
  }

  /** `[classes][classes]`: row by true class, column by predicted class. A copy. */
  get confusion(): ConfusionMatrix {
    return this.#confusion.map((row) => row.slice());
  }

  /** The share of samples whose answer is right; 0 without any. */
  get accuracy(): number {
    return accuracyOf(this.#confusion);
  }

  /** The share of samples whose label is among the k classes with the largest logits; 0 without any. k from 1 to `classes`. */
  topK(k: number): number {
    if (!(checkWhole('topK', 'k', k) <= this.classes)) {
      throw fail('ERR_ARGUMENT', {
        op: 'topK',
        expected: `k of at most ${this.classes} classes`,
        received: `${k}`,
      });
    }
    const { samples } = this;
    const found = this.#ranks.slice(0, k).reduce((sum, count) => sum + count, 0);
    return samples === 0 ? 0 : found / samples;
  }

  /** See `precision`. */
  precision<Options extends ScoreOptions>(options: Options = {} as Options): Scored<Options> {
    return this.#score('precision', options);
  }

  /** See `recall`. */
  recall<Options extends ScoreOptions>(options: Options = {} as Options): Scored<Options> {
    return this.#score('recall', options);
  }

  /** See `f1`. */
  f1<Options extends ScoreOptions>(options: Options = {} as Options): Scored<Options> {
    return this.#score('f1', options);
  }

  #score<Options extends ScoreOptions>(name: ScoreName, options: Options): Scored<Options> {
    return scoreOf(name, this.#confusion, checkAverage(name, options)) as Scored<Options>;
  }

  /** The expected calibration error, from 0 to 1: how far confidence and accuracy are apart, bin by bin. */
  get calibrationError(): number {
    return this.#calibration.error;
  }

  /** The bins behind it. */
  get calibrationBins(): CalibrationBin[] {
    return this.#calibration.bins;
  }
}
