// SPDX-License-Identifier: Apache-2.0
// Many models trained together: as many at a time as there are threads. Small models do not fill a machine one by one;
// side by side they do, each on a thread of its own.
import type { AnyDataset } from '../data/packed-dataset.js';
import { checkListeners, checkOptions, describe, fail } from '../errors.js';
import { nativeInfo } from '../native/bindings.js';
import { Module } from '../nn/module.js';
import { defaultGenerator, type GeneratorState, withGeneratorAt } from '../tensor/random.js';
import { type FitOptions, type FitResult, fit } from './fit.js';

/** One training of many. */
export interface FitJob {
  readonly model: Module;
  readonly dataset: AnyDataset;
  /** As for `fit`. */
  readonly options?: FitOptions | undefined;
}

/** What all of them share. */
export interface FitManyOptions {
  /** Stops all of them, each after the step that is under way; those that have not begun do no step. */
  readonly signal?: AbortSignal | undefined;
  /** When a training is over, in the order in which they end. */
  readonly onFinish?: ((index: number, result: PromiseSettledResult<FitResult>) => void) | undefined;
}

/**
 * Trains many models, as many at a time as there are threads (`setNumThreads`). Each gets the weights that `fit` alone would
 * give it, to the bit: where its step draws random numbers (dropout), they go on from where the generator of `manualSeed`
 * stood when `fitMany` was called, for each model by itself; that generator is left as it was.
 *
 * @returns how each of them ended, in the order of `jobs`, in the form of `Promise.allSettled`: one that fails does not
 *   stop the others
 *
 * Throws ERR_ARGUMENT, before anything is trained, for jobs that are none and for a model that comes twice. Rejects with what
 * `onFinish` throws, after all trainings have stopped.
 */
export async function fitMany(
  jobs: readonly FitJob[],
  options: FitManyOptions = {},
): Promise<PromiseSettledResult<FitResult>[]> {
  checkJobs(jobs);
  checkOptions('fitMany', options, ['signal', 'onFinish']);
  checkListeners('fitMany', options.signal, { onFinish: options.onFinish });
  const results = new Array<PromiseSettledResult<FitResult>>(jobs.length);
  const { state } = defaultGenerator();
  const ending = new AbortController();
  const failures: unknown[] = [];
  const signals = options.signal === undefined ? [ending.signal] : [ending.signal, options.signal];
  let next = 0;
  const workThrough = async (): Promise<void> => {
    while (next < jobs.length) {
      const index = next++;
      results[index] = await settle(jobs[index], signals, state);
      try {
        options.onFinish?.(index, results[index]);
      } catch (error) {
        failures.push(error);
        ending.abort(error);
      }
    }
  };
  const atOnce = Math.min(jobs.length, nativeInfo().threads);
  await Promise.all(Array.from({ length: atOnce }, workThrough));
  if (failures.length > 0) throw failures[0];
  return results;
}

async function settle(
  job: FitJob,
  signals: readonly AbortSignal[],
  draws: GeneratorState,
): Promise<PromiseSettledResult<FitResult>> {
  try {
    const own = job.options?.signal;
    checkListeners('fit', own);
    const signal = AbortSignal.any(own === undefined ? [...signals] : [...signals, own]);
    const value = await withGeneratorAt(draws, () => fit(job.model, job.dataset, { ...job.options, signal }));
    return { status: 'fulfilled', value };
  } catch (reason) {
    return { status: 'rejected', reason };
  }
}

function checkJobs(jobs: readonly FitJob[]): void {
  const isJob = (job: unknown) =>
    typeof job === 'object' &&
    job !== null &&
    'model' in job &&
    job.model instanceof Module &&
    'dataset' in job;
  const wrong = Array.isArray(jobs) ? jobs.findIndex((job) => !isJob(job)) : 0;
  if (!Array.isArray(jobs) || wrong >= 0) {
    throw fail('ERR_ARGUMENT', {
      op: 'fitMany',
      expected: 'an array of { model, dataset, options }',
      received: Array.isArray(jobs) ? `${describe(jobs[wrong])} at position ${wrong}` : describe(jobs),
    });
  }
  const models = jobs.map(({ model }) => model);
  const twice = models.findIndex((model, i) => models.indexOf(model) !== i);
  if (twice < 0) return;
  throw fail('ERR_ARGUMENT', {
    op: 'fitMany',
    expected: 'each model once',
    received: `at position ${twice} the one of position ${models.indexOf(models[twice])}`,
  });
}
