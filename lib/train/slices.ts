// SPDX-License-Identifier: Apache-2.0
// Work in slices: computation holds the event loop, so it is interrupted often enough for timers, signals and requests.
import { setImmediate } from 'node:timers/promises';
import type { Module } from '../nn/module.js';

/** Longest time in ms for which work may hold the event loop, as far as whole steps allow. */
const SLICE = 25;

/**
 * Calls `step` until it returns false, with the model in training or evaluation mode, in slices of 25 ms. Between two
 * slices the event loop turns and every module is in the mode that it was in before, so that a training and an
 * evaluation of one model may take turns.
 *
 * @param signal ends the work before the next slice
 * @param afterSlice is called with the model's modes restored
 */
export async function inSlices(
  model: Module,
  training: boolean,
  step: () => boolean,
  signal: AbortSignal | undefined,
  afterSlice?: () => void,
): Promise<void> {
  while (!signal?.aborted) {
    const goesOn = inMode(model, training, () => {
      const end = performance.now() + SLICE;
      while (step()) if (performance.now() >= end) return true;
      return false;
    });
    afterSlice?.();
    if (!goesOn) return;
    await setImmediate();
  }
}

/** Runs a synchronous function with the model in training or evaluation mode, then puts every module's mode back. */
export function inMode<T>(model: Module, training: boolean, body: () => T): T {
  const before = model.modules().map((module) => [module, module.training] as const);
  model.train(training);
  try {
    return body();
  } finally {
    for (const [module, mode] of before) module.training = mode;
  }
}
