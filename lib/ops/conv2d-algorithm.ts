// SPDX-License-Identifier: Apache-2.0
// The ways to compute a convolution that a caller may ask for.
import { describe, fail } from '../errors.js';
import type { ConvolutionAxis } from '../tensor/convolution-window.js';

/**
 * - 'auto' (default): for each pass what a cost model by shape finds cheapest, so one of the next two.
 * - 'direct': reads patches in place (virtual im2col).
 * - 'winograd': F(4x4, 3x3) or F(2x2, 3x3), 4 or 2.25 times fewer products, F(2x2, 5x5), 2.8 times fewer: 3x3 and
 *   5x5 kernels at stride 1 only, undilated and in one group. F(4x4, 3x3) and F(2x2, 5x5) round about 2.5 times as
 *   coarsely as 'direct' (root mean square, 64 to 512 channels), F(2x2, 3x3) as finely.
 * - 'im2col': writes the patch matrix and multiplies: slower, more memory, readable.
 *
 * They differ in rounding alone. float64 tensors are always computed by the definition ('im2col' apart).
 */
export type Conv2dAlgorithm = 'auto' | 'direct' | 'winograd' | 'im2col';

/** By the number that instructions carry, native/ops/conv2d_algorithm.h; 'im2col' is made of other instructions. */
const CHOICES: readonly Conv2dAlgorithm[] = ['auto', 'direct', 'winograd'];

/** The number that instructions carry. */
export function algorithmNumber(algorithm: Conv2dAlgorithm): number {
  return Math.max(0, CHOICES.indexOf(algorithm));
}

/** The algorithm, 'auto' where none is named. Throws ERR_ARGUMENT for an unknown one, and where it cannot be done. */
export function checkAlgorithm(
  op: string,
  algorithm: Conv2dAlgorithm | undefined,
  axes: readonly Pick<ConvolutionAxis, 'kernel' | 'stride' | 'dilation'>[],
  groups: number,
): Conv2dAlgorithm {
  if (algorithm === undefined) return 'auto';
  if (algorithm !== 'im2col' && !CHOICES.includes(algorithm)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: "algorithm 'auto', 'direct', 'winograd' or 'im2col'",
      received: describe(algorithm),
    });
  }
  const size = axes[0].kernel;
  const isFit =
    axes.length === 2 &&
    groups === 1 &&
    (size === 3 || size === 5) &&
    axes.every(({ kernel, stride, dilation }) => kernel === size && stride === 1 && dilation === 1);
  if (algorithm === 'winograd' && !isFit) {
    const each = (name: keyof (typeof axes)[0]) => axes.map((axis) => axis[name]).join('x');
    throw fail('ERR_ARGUMENT', {
      op,
      expected: "a 3x3 or 5x5 kernel, stride 1, dilation 1 and 1 group for algorithm 'winograd'",
      received: `kernel ${each('kernel')}, stride ${each('stride')}, dilation ${each('dilation')}, groups ${groups}`,
      hint: "'auto' takes Winograd's algorithm wherever it can be done and pays",
    });
  }
  return algorithm;
}
