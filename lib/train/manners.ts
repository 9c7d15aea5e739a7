// SPDX-License-Identifier: Apache-2.0
// How much of the machine a training takes, and who goes first. No result depends on it.
import { checkWhole, describe, fail } from '../errors.js';

/** How captured steps share the machine with what else the process does. */
export interface MannersOptions {
  /** Threads that compute. Default: as many as the process uses (`setNumThreads`), less those of other trainings. */
  readonly threads?: number | undefined;
  /**
   * 'background': its threads have a lower priority in the system, and wait between two parts of an operation while anything
   * else of this process computes, such as a prediction; a twentieth of the time is left to it in any case. Default 'normal'.
   */
  readonly priority?: 'normal' | 'background' | undefined;
  /** The share of its threads' time that it may compute, above 0 and up to 1, over about 0.1 s. Default 1. */
  readonly cpuShare?: number | undefined;
}

/** The options with their defaults. Throws ERR_ARGUMENT. */
export function checkManners(op: string, options: MannersOptions): MannersOptions {
  const { threads, priority = 'normal', cpuShare = 1 } = options;
  const refuse = (expected: string, received: unknown) =>
    fail('ERR_ARGUMENT', { op, expected, received: describe(received) });
  if (threads !== undefined) checkWhole(op, 'threads', threads);
  if (priority !== 'normal' && priority !== 'background') {
    throw refuse("priority to be 'normal' or 'background'", priority);
  }
  if (!(typeof cpuShare === 'number' && cpuShare > 0 && cpuShare <= 1)) {
    throw refuse('cpuShare above 0 and up to 1', cpuShare);
  }
  return { threads, priority, cpuShare };
}

/** Those of a plan, where its run does not say otherwise. Throws ERR_ARGUMENT. */
export function mannersOfRun(plan: MannersOptions, run: MannersOptions): MannersOptions {
  const { threads = plan.threads, priority = plan.priority, cpuShare = plan.cpuShare } = run;
  return checkManners('plan', { threads, priority, cpuShare });
}
