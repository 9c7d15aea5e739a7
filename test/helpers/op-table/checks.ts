// SPDX-License-Identifier: Apache-2.0
// What samples are held to by the tests of the table and by those of random shapes alike.
import { onEveryIsa } from '../golden-case.js';
import { checkGradients } from '../gradients.js';
import { boundOf, expectWithin } from './bounds.js';
import { expectSamePasses, onThreads, type Passes, runPasses, runSeeded } from './passes.js';
import { type Accuracy, constant, make, type Operand, type Precision, type Sample } from './row.js';

/** True for an operand that wants a gradient. */
export const isLeaf = ({ role }: Operand) => role === 'leaf';

/** Results and gradients of the float32 kernels of every instruction set are within their bound of the reference. */
export function checkValues(accuracy: Accuracy, sample: Sample, precision: Precision = 'float64'): void {
  const reference = runPasses(sample, precision);
  const bound = boundOf(sample.accuracy ?? accuracy, sample, reference);
  onEveryIsa((isa) => expectWithin(runPasses(sample, 'float32'), reference, bound, isa));
}

/** Gradients of all leaves, or of operand `only`, against finite differences. A state begins anew with each run. */
export function checkSampleGradients({ operands, run }: Sample, only?: number): void {
  const given = operands.map((operand, i) =>
    isLeaf(operand) && only !== undefined && only !== i ? constant(operand) : operand,
  );
  const body: Sample['run'] = (...tensors) =>
    runSeeded(
      { run },
      tensors.map((tensor, i) => (given[i].role === 'state' ? tensor.clone() : tensor)),
    );
  checkGradients(body, () => given.map((operand) => make(operand, 'float64')));
}

/** These numbers of threads give the same bits. */
export function checkThreads(
  sample: Sample,
  precision: Precision,
  counts: readonly number[] = [1, 2, 3],
): void {
  let first: Passes | undefined;
  onThreads(counts, (threads) => {
    const passes = runPasses(sample, precision);
    expectSamePasses(passes, first ?? passes, `${precision}, ${threads} threads`);
    first ??= passes;
  });
}
