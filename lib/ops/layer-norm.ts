// SPDX-License-Identifier: Apache-2.0
// Layer normalisation (Ba et al. 2016) over trailing dimensions.
import { checkNumber, checkOptions, fail } from '../errors.js';
import { checkShape, type Shape, sameShape, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkFloat } from './check.js';
import { compute } from './compute.js';
import type { NormOptions } from './group-norm.js';
import { emptyNormalized, recordNormalized } from './normalization.js';

/** @internal A shape of one dimension or more, from a number or a list. */
export function checkNormalizedShape(op: string, shape: number | Shape): Shape {
  const checked = checkShape(op, typeof shape === 'number' ? [shape] : shape);
  if (checked.length > 0) return checked;
  throw fail('ERR_ARGUMENT', { op, expected: 'normalizedShape of one dimension or more', received: '[]' });
}

/**
 * y = weight * (x - mean) / sqrt(variance + eps) + bias, with mean and (biased) variance over the last dimensions.
 *
 * Shapes: x [..., ...normalizedShape]; weight, bias normalizedShape, or null for ones and zeros; result as x.
 *
 * @param normalizedShape [c] for each position of an image by itself, [h, w, c] for whole images; a number is one dimension
 * @param options eps 1e-5 is the default
 *
 * Throws ERR_SHAPE, ERR_ARGUMENT, ERR_DTYPE, ERR_DISPOSED.
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight: Tensor | null = null,
  bias: Tensor | null = null,
  options: NormOptions = {},
): Tensor {
  checkFloat('layerNorm', 'input', x);
  const shape = checkNormalizedShape('layerNorm', normalizedShape);
  checkOptions('layerNorm', options, ['eps']);
  const eps = checkNumber('layerNorm', 'eps', options.eps ?? 1e-5, 0);
  const list = shape.join(', ');
  const outer = x.shape.slice(0, Math.max(0, x.shape.length - shape.length));
  if (!sameShape(x.shape, [...outer, ...shape])) {
    throw fail('ERR_SHAPE', {
      op: 'layerNorm',
      expected: `input [..., ${list}], as normalizedShape says`,
      received: `[${x.shape.join(', ')}]`,
    });
  }
  for (const [name, value] of Object.entries({ weight, bias })) {
    if (value === null) continue;
    checkFloat('layerNorm', name, value, x);
    if (sameShape(value.shape, shape)) continue;
    throw fail('ERR_SHAPE', {
      op: 'layerNorm',
      expected: `${name} [${list}], as normalizedShape says`,
      received: `[${value.shape.join(', ')}]`,
    });
  }
  const width = sizeOf(shape);
  const numbers = [x.size / width, width];
  const normalized = emptyNormalized(x, outer);
  const { y, mean, inverseStd } = normalized;
  compute('layer_norm_forward', [y, mean, inverseStd], [x, weight, bias], [...numbers, eps]);
  return recordNormalized('layerNorm', 'layer_norm_backward', normalized, [x, weight, bias], numbers);
}
