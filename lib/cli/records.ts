// SPDX-License-Identifier: Apache-2.0
// What a training leaves beside the weights: how it was configured, its history and its pictures.

import type { AnySplit } from '../data/packed-dataset.js';
import { nativeInfo } from '../native/bindings.js';
import { version } from '../native/version.js';
import type { Evaluation } from '../train/evaluate.js';
import type { FitResult } from '../train/fit.js';
import { confusionSvg } from '../viz/confusion.js';
import { curvesSvg } from '../viz/curves.js';
import { percent } from './format.js';
import type { RunFolder } from './run-folder.js';

/** What there is to record. */
export interface RecordsInput {
  readonly modelName: string;
  readonly flags: { readonly data: string };
  readonly split: AnySplit;
  readonly result: FitResult;
  /** Nothing where the training was stopped. */
  readonly evaluation: Evaluation | undefined;
}

const PICTURES = ['curves.svg', 'confusion.svg'];

/** Writes config.json, history.jsonl, curves.svg and confusion.svg. Returns the names of those there was something for. */
export async function writeRecords(folder: RunFolder, input: RecordsInput): Promise<string[]> {
  const { modelName, flags, split, result, evaluation } = input;
  const { isa, threads } = nativeInfo();
  const { json: _json, quiet: _quiet, ...settings } = flags as Record<string, unknown>;
  const config = {
    version,
    node: process.versions.node,
    isa,
    ...settings,
    model: modelName,
    threads,
    trainImages: split.train.length,
    testImages: split.test.length,
    steps: result.steps,
    stopped: result.aborted,
  };
  const title = `${modelName} on ${flags.data}`;
  const files: [name: string, contents: string][] = [
    ['config.json', `${JSON.stringify(config, null, 2)}\n`],
    ['history.jsonl', result.history.map((row) => `${JSON.stringify(row)}\n`).join('')],
  ];
  if (result.curve.length > 1) {
    const score = evaluation === undefined ? '' : `: test accuracy ${percent(evaluation.accuracy)}`;
    const { curve, history } = result;
    files.push([
      'curves.svg',
      await curvesSvg({ title: `${title}${score}`, points: curve, history, validationName: 'test' }),
    ]);
  }
  if (evaluation !== undefined) {
    files.push(['confusion.svg', await confusionSvg(evaluation.confusion, split.test.classNames, title)]);
  }
  for (const picture of PICTURES) await folder.remove(picture); // of an earlier training in this folder
  for (const [name, contents] of files) await folder.write(name, contents);
  return files.map(([name]) => name);
}
