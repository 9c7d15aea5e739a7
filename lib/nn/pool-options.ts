// SPDX-License-Identifier: Apache-2.0
// What a pooling layer is built with: `(3)`, `(3, { stride: 2 })` or `({ kernelSize: 3, stride: 2 })`.
import { checkOptions, describe, fail } from '../errors.js';

/** What is known of a window that has its size. */
interface Windowed {
  readonly kernelSize: unknown;
}

/** All options but the size. */
export type BesidesSize<Options extends Windowed> = Omit<Options, 'kernelSize'>;

/** All names of options of a window. */
export const WINDOW_OPTIONS: readonly string[] = ['kernelSize', 'stride', 'padding', 'ceilMode'];

/**
 * The options of a layer, however they were given.
 *
 * Throws ERR_ARGUMENT for unknown options, and for options in both places.
 */
export function optionsOfWindow<Options extends Windowed>(
  op: string,
  window: Options['kernelSize'] | Options,
  besides: BesidesSize<Options> | undefined,
  known: readonly string[],
): Options {
  if (typeof window === 'object' && !Array.isArray(window)) {
    checkOptions(op, window as Options, known);
    if (besides === undefined) return window as Options;
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'one object of options, or kernelSize and then the others',
      received: `two: ${describe(window)} and ${describe(besides)}`,
    });
  }
  const others = besides ?? {};
  checkOptions(
    op,
    others,
    known.filter((name) => name !== 'kernelSize'),
  );
  return { ...others, kernelSize: window } as Options;
}
