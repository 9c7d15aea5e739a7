// SPDX-License-Identifier: Apache-2.0
// What a training makes small: a loss by name, as a function, or as a module.
import { refusePromise } from '../autograd/grad-mode.js';
import { describe, didYouMean, fail } from '../errors.js';
import { Module } from '../nn/module.js';
import { binaryCrossEntropyWithLogits } from '../ops/binary-cross-entropy.js';
import { checkFloat, lastLength } from '../ops/check.js';
import { oneHot } from '../ops/classify.js';
import { checkCrossEntropyOptions, crossEntropy } from '../ops/cross-entropy.js';
import { klDiv } from '../ops/kl-div.js';
import { huberLoss, l1Loss, mseLoss, smoothL1Loss } from '../ops/pointwise-loss.js';
import { Tensor } from '../tensor/tensor.js';

/** A loss of one's own: a tensor with one element, from what the model gives and the labels. */
export type LossFunction = (outputs: Tensor, labels: Tensor) => Tensor;

const NAMED = {
  crossEntropy,
  bceWithLogits: ofNumbers(binaryCrossEntropyWithLogits),
  mse: ofNumbers(mseLoss),
  l1: ofNumbers(l1Loss),
  huber: ofNumbers(huberLoss),
  smoothL1: ofNumbers(smoothL1Loss),
  klDiv: ofNumbers((input, target) => klDiv(input, target, { reduction: 'batchmean' })),
} satisfies Record<string, LossFunction>;

/**
 * A loss with its default options. All but 'crossEntropy' compare numbers: whole-number labels are rows with a 1 at the label for
 * them. 'klDiv' wants logarithms of probabilities from the model, and is the mean over samples.
 */
export type LossName = keyof typeof NAMED;

/** A loss by name, as a function of outputs and labels, or as a module such as `nn.CrossEntropyLoss`. */
export type Loss = LossName | LossFunction | Module;

export const LOSS_NAMES = Object.keys(NAMED) as readonly LossName[];

/** Those of models that give logits, as all models by name do. */
export const LOGIT_LOSSES = LOSS_NAMES.filter((name) => name !== 'klDiv');

/** A loss that compares numbers, of class labels as well. */
function ofNumbers(loss: LossFunction): LossFunction {
  return (outputs, labels) => {
    if (!(labels instanceof Tensor) || labels.dtype !== 'int32') return loss(outputs, labels);
    checkFloat('loss', 'outputs', outputs);
    const dtype = outputs.dtype as 'float32' | 'float64';
    return loss(outputs, oneHot(labels, lastLength('loss', outputs), { dtype }));
  };
}

/** The default loss with softer labels. */
export interface LabelSmoothingOptions {
  /** Of 'crossEntropy': the share of each label that is spread over all classes, from 0 to below 1. Default 0. */
  readonly labelSmoothing?: number | undefined;
}

/** What a training makes small. Throws ERR_ARGUMENT. */
export function trainingLoss(
  loss: Loss | undefined,
  { labelSmoothing }: LabelSmoothingOptions,
): LossFunction {
  if (labelSmoothing === undefined || labelSmoothing === 0) return checkLoss('fit', loss);
  if (loss === undefined || loss === 'crossEntropy') {
    const { labelSmoothing: checked } = checkCrossEntropyOptions('fit', { labelSmoothing });
    return (logits, labels) => crossEntropy(logits, labels, { labelSmoothing: checked });
  }
  const expected = "labelSmoothing only with loss 'crossEntropy'";
  throw fail('ERR_ARGUMENT', { op: 'fit', expected, received: `it and ${describe(loss)}` });
}

/** The option as a function. Throws ERR_ARGUMENT for what is no loss. */
export function checkLoss(op: string, loss: Loss = 'crossEntropy'): LossFunction {
  if (typeof loss === 'string' && Object.hasOwn(NAMED, loss)) return NAMED[loss];
  if (loss instanceof Module) return checked(op, (outputs, labels) => loss.call(outputs, labels));
  if (typeof loss === 'function') return checked(op, loss);
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `loss to be one of ${LOSS_NAMES.map((name) => `'${name}'`).join(', ')}, a function or a module`,
    received: describe(loss),
    hint: didYouMean(loss, LOSS_NAMES),
  });
}

/** A loss of a user, whose result is looked at. */
function checked(op: string, loss: LossFunction): LossFunction {
  return (outputs, labels) => {
    const result: unknown = loss(outputs, labels);
    refusePromise(op, result);
    if (result instanceof Tensor && result.size === 1) return result;
    throw fail(result instanceof Tensor ? 'ERR_SHAPE' : 'ERR_ARGUMENT', {
      op,
      expected: 'loss to give a tensor with one element',
      received: result instanceof Tensor ? String(result) : describe(result),
      hint: result instanceof Tensor ? "the mean over samples: reduction 'mean'" : undefined,
    });
  };
}
