// SPDX-License-Identifier: Apache-2.0
// One training step, the same whether it runs now or is recorded: forward, loss, backward, update. A batch may be
// computed in parts, whose gradients add up before the one update.
import { noGrad } from '../autograd/grad-mode.js';
import { emit } from '../native/bindings.js';
import type { Module } from '../nn/module.js';
import { add, scale } from '../ops/arithmetic.js';
import { BatchParts } from '../ops/batch-part.js';
import { argmax } from '../ops/classify.js';
import type { ClipOptions } from '../optim/clip.js';
import type { EMA } from '../optim/ema.js';
import type { Lookahead } from '../optim/lookahead.js';
import type { LRScheduler } from '../optim/lr-scheduler.js';
import type { Optimizer } from '../optim/optimizer.js';
import { Tensor } from '../tensor/tensor.js';
import { type BatchRows, copyElements, type Inputs } from './batch-rows.js';
import type { LossFunction } from './losses.js';

/** What is trained, by what, and towards what: a mean over samples, of model outputs and labels. */
export interface Learner {
  readonly model: Module;
  readonly optimizer: Optimizer;
  readonly loss: LossFunction;
  /** Whether the outputs are logits of the classes that the labels name, so that right answers can be counted. */
  readonly countsCorrect: boolean;
  /** What happens to gradients before the update. */
  readonly clip?: ClipOptions | undefined;
  /** Moves on behind each update. */
  readonly scheduler?: LRScheduler | undefined;
  /** Leads the weights back to slow ones behind some updates. */
  readonly lookahead?: Lookahead | undefined;
  /** Takes the weights behind each update. */
  readonly ema?: EMA | undefined;
}

/** What a step tells: the mean loss of its samples, and how many were right where it is a classifier. */
export type StepTensors = { readonly loss: Tensor; readonly correct?: Tensor };

/** Stops a step whose loss leads nowhere, before it is sent back. */
export type LossCheck = (loss: Tensor) => void;

/** What an instruction does: NaN or infinity ends the step. */
export const requireFinite: LossCheck = (loss) => emit('require_finite', [loss.handle]);

/**
 * Trains on the samples of a batch, `size` of them at a time: all of them at once, or in parts whose losses and gradients
 * are means weighted by their samples, added in the order of the samples. The last part has what is left.
 *
 * @param parts told which part is under way
 */
export function trainOn(
  learner: Learner,
  rows: BatchRows,
  samples: number,
  size: number,
  check: LossCheck,
  parts = new BatchParts(),
): StepTensors {
  learner.optimizer.zeroGrad();
  const sums =
    size < samples ? onParts(learner, rows, samples, size, check, parts) : onWhole(learner, rows(), check);
  learner.optimizer.requireFinite();
  learner.optimizer.update({ ...learner.clip, isChecked: true });
  learner.scheduler?.step();
  learner.lookahead?.update();
  learner.ema?.update();
  const { loss, predicted, labels } = sums;
  return predicted === undefined ? { loss } : { loss, correct: countEqual(predicted, labels) };
}

/** The loss of a batch, whose gradients are there; the classes that were predicted for its labels. */
interface Sums {
  readonly loss: Tensor;
  readonly predicted: Tensor | undefined;
  readonly labels: Tensor;
}

function onWhole(learner: Learner, { images, labels, targets }: Inputs, check: LossCheck, weight = 1): Sums {
  const outputs = learner.model.call(images);
  const mean = learner.loss(outputs, targets ?? labels);
  check(mean);
  const value = weight === 1 ? mean : scale(mean, weight);
  value.backward();
  return { loss: value, predicted: learner.countsCorrect ? argmax(outputs) : undefined, labels };
}

function onParts(
  learner: Learner,
  rows: BatchRows,
  samples: number,
  size: number,
  check: LossCheck,
  parts: BatchParts,
): Sums {
  const labels = Tensor.empty([samples], 'int32');
  const predicted = learner.countsCorrect ? Tensor.empty([samples], 'int32') : undefined;
  let loss: Tensor | undefined;
  for (let first = 0; first < samples; first += size) {
    const end = Math.min(first + size, samples);
    const part = parts.run(first, end - first, () =>
      onWhole(learner, rows(first, end), check, (end - first) / samples),
    );
    if (predicted !== undefined && part.predicted !== undefined) {
      copyElements({ tensor: predicted, first }, { tensor: part.predicted, first: 0 }, end - first);
      copyElements({ tensor: labels, first }, { tensor: part.labels, first: 0 }, end - first);
    }
    const before = loss;
    loss = before === undefined ? part.loss : noGrad(() => add(before, part.loss));
  }
  return { loss: loss as Tensor, predicted, labels };
}

function countEqual(predicted: Tensor, labels: Tensor): Tensor {
  const correct = Tensor.empty([], 'int32');
  emit('count_equal', [correct.handle, predicted.handle, labels.handle]);
  return correct;
}
