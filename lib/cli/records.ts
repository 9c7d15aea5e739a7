// SPDX-License-Identifier: Apache-2.0
// What a training leaves beside the weights and its log: the report and its pictures.
import type { AnySplit } from '../data/packed-dataset.js';
import type { Module } from '../nn/module.js';
import { writeReport } from '../report/write-report.js';
import type { Evaluation } from '../train/evaluate.js';
import type { FitResult } from '../train/fit.js';
import { LOG_FILES } from '../train/run-log.js';
import type { Watched } from './keeping.js';
import type { RunFolder } from './run-folder.js';

export { WORST } from '../report/write-report.js';

/** What there is to record. */
export interface RecordsInput {
  readonly modelName: string;
  readonly model: Module;
  readonly flags: { readonly data: string };
  readonly split: AnySplit;
  readonly watched: Watched;
  readonly result: FitResult;
  /** Nothing where the training was stopped. */
  readonly evaluation: Evaluation | undefined;
}

/** Writes report.html and its pictures. Returns the names of all files that stand beside the weights. */
export async function writeRecords(folder: RunFolder, input: RecordsInput): Promise<string[]> {
  const { modelName, model, flags, split, watched, result, evaluation } = input;
  const [title, validationName] = [`${modelName} on ${flags.data}`, watched.name];
  // Without an evaluation the model is not to be judged now: `test` would have that done
  const judged =
    evaluation === undefined ? { inputShape: split.test.imageShape } : { test: split.test, evaluation };
  const files = await writeReport(folder.path, { title, validationName, model, result, ...judged });
  return [...files, ...Object.values(LOG_FILES)];
}
