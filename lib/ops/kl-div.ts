// SPDX-License-Identifier: Apache-2.0
// How far one distribution is from another.
import { checkBooleans, checkOptions } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkPair, pointwiseLoss } from './pointwise-loss.js';
import { checkReduction, type Reduction } from './reduction.js';

/** Options of `klDiv`, in PyTorch's terms and with its defaults. */
export interface KlDivOptions {
  /**
   * Default 'mean', over all elements; 'batchmean' is the divergence as it is defined, the mean over the first dimension of
   * sums over the others.
   */
  readonly reduction?: Reduction | 'batchmean' | undefined;
  /** Whether the target holds logarithms as well. Default false. */
  readonly logTarget?: boolean | undefined;
}

const KL_REDUCTIONS = ['mean', 'batchmean', 'sum', 'none'] as const;

/** @internal The options with their defaults. */
export function checkKlDivOptions(op: string, options: KlDivOptions) {
  checkOptions(op, options, ['reduction', 'logTarget']);
  const { reduction = 'mean', logTarget = false } = options;
  checkBooleans(op, { logTarget });
  return { reduction: checkReduction(op, reduction, KL_REDUCTIONS), logTarget };
}

/**
 * The divergence of Kullback and Leibler, target (log target - input), element by element: `input` holds logarithms of
 * probabilities, `target` probabilities, or logarithms too where the options say so.
 *
 * Shapes: input and target the same; result [], or as input for reduction 'none'. Both have gradients.
 *
 * @param options reduction 'mean' and logTarget false are the defaults
 *
 * Throws ERR_SHAPE, ERR_DTYPE, ERR_ARGUMENT, ERR_DISPOSED.
 */
export function klDiv(input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor {
  checkPair('klDiv', input, target);
  const { reduction, logTarget } = checkKlDivOptions('klDiv', options);
  return pointwiseLoss('klDiv', input, target, reduction, { kind: logTarget ? 'klDivLog' : 'klDiv' });
}
