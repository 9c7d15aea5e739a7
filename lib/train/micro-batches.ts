// SPDX-License-Identifier: Apache-2.0
// Into how many parts a step divides its batch: as many as were asked for, or as few as a budget of memory allows.
import { describe, fail } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';
import { BatchParts } from '../ops/batch-part.js';
import type { CapturedStep } from './plan.js';

/** How a step may divide its batch. */
export interface MicroBatchOptions {
  /**
   * Computes a batch in so many equal parts, one after another, whose gradients are added up, in the order of the samples,
   * before the one update: a step then needs the memory of one part. True: as few parts as `maxMemory` allows without
   * computing anything twice, and one part for nets that normalise over the batch. The last batch of an epoch is divided
   * into parts of the same size, and what is left.
   *
   * Losses are means of the whole batch, weighted by the samples of each part; dropout draws what it would in the whole
   * batch. Sums are added in another order than for the whole batch, so the last digits differ from it, and are the same
   * for any number of threads and in every run. A loss of one's own must be a mean over samples. Default: the whole batch.
   *
   * Refused for a number of parts that does not divide the batch, for `true` without `maxMemory`, and, with the name of
   * the layer, for batch normalisation in training mode.
   */
  readonly microBatches?: number | boolean | undefined;
}

/** The option, checked: a number of parts, 1 for the whole batch, or true. Throws ERR_ARGUMENT. */
export function checkMicroBatches(
  op: string,
  { microBatches = 1 }: MicroBatchOptions,
  batch: number,
  maxMemory: number | undefined,
): number | true {
  const refuse = (expected: string, received: string, hint?: string) =>
    fail('ERR_ARGUMENT', { op, expected, received, hint });
  if (microBatches === false) return 1;
  if (microBatches === true) {
    if (maxMemory !== undefined) return true;
    throw refuse('maxMemory, for microBatches: true to keep to', 'none', 'or say how many: microBatches: 4');
  }
  if (!Number.isSafeInteger(microBatches) || microBatches < 1) {
    throw refuse('microBatches to be true or a whole number of at least 1', describe(microBatches));
  }
  if (batch % microBatches === 0) return microBatches;
  const divisor = divisorsOf(batch).find((parts) => parts > microBatches);
  throw refuse(
    `microBatches that divide a batch of ${batch}`,
    String(microBatches),
    `${divisor ?? batch} would do`,
  );
}

function divisorsOf(batch: number): number[] {
  return Array.from({ length: batch }, (_, i) => i + 1).filter((parts) => batch % parts === 0);
}

/** How a recorded step divides its batch: into so many parts, each but the last of so many samples. */
export interface MicroBatches {
  readonly parts: number;
  readonly samples: number;
}

/** A recorded step and the samples of each of its parts. */
export interface DividedStep {
  readonly plan: CapturedStep;
  readonly size: number;
}

/** More parts than before save nothing where they save less than this share: then weights are what takes the memory. */
const LEAST_GAIN = 0.02;

/**
 * Records a step in parts, by default as few as the budget allows.
 *
 * @param record records the step with parts of so many samples
 *
 * Throws ERR_OUT_OF_MEMORY where no division found keeps to the budget, also not by computing activations twice.
 */
export function recordDivided(
  batch: number,
  microBatches: number | true,
  planning: PlanOptions,
  record: (size: number, parts: BatchParts, planning: PlanOptions) => CapturedStep,
): DividedStep {
  const attempt = (size: number, options: PlanOptions, parts = new BatchParts()): DividedStep => ({
    plan: record(size, parts, options),
    size,
  });
  if (microBatches !== true) return attempt(batch / microBatches, planning);
  let smallest = { size: batch, bytes: Infinity };
  for (const count of divisorsOf(batch)) {
    const size = batch / count;
    const parts = new BatchParts();
    try {
      const divided = attempt(size, { ...planning, maxMemory: undefined }, parts);
      const { peakBytes } = divided.plan.describe();
      if (peakBytes <= (planning.maxMemory as number)) return divided;
      divided.plan.dispose();
      if (peakBytes > (1 - LEAST_GAIN) * smallest.bytes) break;
      smallest = { size, bytes: peakBytes };
    } catch (error) {
      if (parts.refused) break; // a net that needs its whole batch
      throw error;
    }
  }
  return attempt(smallest.size, planning);
}
