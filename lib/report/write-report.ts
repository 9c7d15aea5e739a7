// SPDX-License-Identifier: Apache-2.0
// `writeReport`: what came of a training, as a page and as pictures in its folder.
import { readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkDataset } from '../data/dataset.js';
import type { AnyDataset } from '../data/packed-dataset.js';
import { checkOptions, describe, fail } from '../errors.js';
import { checkPath, fileError, makeFolder, writeAtomically } from '../io/atomic-file.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { summarize } from '../nn/summary.js';
import { type Evaluation, evaluate } from '../train/evaluate.js';
import { LOG_FILES } from '../train/run-log.js';
import { confusionSvg } from '../viz/confusion.js';
import { curvesSvg } from '../viz/curves.js';
import { percent } from '../viz/format.js';
import { pageOf, type ReportedResult } from './page.js';

const OP = 'writeReport';
/** Pictures of the worst errors, unless an evaluation brings others. */
export const WORST = 24;
/** More cells than those of so many classes make an SVG file that no program opens gladly. */
const MOST_CLASSES = 200;
const REPORT_FILES = { page: 'report.html', curves: 'curves.svg', confusion: 'confusion.svg' } as const;

/** What a report is made of. All of it may be left out; what is not there has no section. */
export interface ReportOptions {
  /** Default: 'Training report'. */
  readonly title?: string | undefined;
  /** The trained model, for a summary of its layers, and to be evaluated. */
  readonly model?: Module | undefined;
  /** `[h, w, c]`, for the summary. Default: that of `test`. */
  readonly inputShape?: readonly [number, number, number] | undefined;
  /** What `fit` gave. */
  readonly result?: ReportedResult | undefined;
  /** Images to judge the model by. */
  readonly test?: AnyDataset | undefined;
  /** What `evaluate` found on `test`, with `worst` for pictures. Default: `model` is evaluated now. */
  readonly evaluation?: Evaluation | undefined;
  /** Settings to be listed. Default: those of config.json in the folder, which the `log` option of `fit` writes. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
  /** What the set is called that `fit` measured after each epoch. Default 'validation'. */
  readonly validationName?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const OPTIONS: readonly (keyof ReportOptions)[] = [
  ...([
    'title',
    'model',
    'result',
    'test',
    'evaluation',
    'config',
    'validationName',
    'inputShape',
    'signal',
  ] as const),
];

/**
 * Writes report.html, one file that needs neither network nor scripts: figures, curves, confusion matrix, precision, recall and F1
 * of each class, the images with the largest loss as pictures, epochs, layers and configuration. Beside it curves.svg and
 * confusion.svg. Pictures of an earlier report in the folder go.
 *
 * @param folder is made where it is missing
 * @returns the names of the files
 *
 * Throws ERR_ARGUMENT for wrong options, ERR_FILE, what `evaluate` throws.
 */
export async function writeReport(folder: string, options: ReportOptions): Promise<readonly string[]> {
  checkPath(OP, folder);
  checkReport(options);
  const { model, result, test, validationName = 'validation', title = 'Training report', signal } = options;
  const evaluation =
    options.evaluation ?? (model && test && (await evaluate(model, test, { worst: WORST, signal })));
  const config = options.config ?? (await loggedConfig(folder));
  const inputShape = options.inputShape ?? test?.imageShape;
  const layers = model && inputShape && summarize(model, inputShape);
  const page = { title, validationName, result, evaluation, test, layers, config };
  const files: [name: string, contents: string][] = [[REPORT_FILES.page, await pageOf(page)]];
  if (result !== undefined && result.curve.length > 1) {
    const score = evaluation === undefined ? '' : `: test accuracy ${percent(evaluation.accuracy)}`;
    const { curve, history } = result;
    const picture = { title: `${title}${score}`, points: curve, history, validationName };
    files.push([REPORT_FILES.curves, await curvesSvg(picture)]);
  }
  if (evaluation !== undefined && evaluation.confusion.length <= MOST_CLASSES) {
    const picture = await confusionSvg(evaluation.confusion, test?.classNames ?? [], title);
    files.push([REPORT_FILES.confusion, picture]);
  }
  await prepare(folder);
  for (const [name, contents] of files) {
    await writeAtomically(OP, join(folder, name), new TextEncoder().encode(contents));
  }
  return files.map(([name]) => name);
}

/** Makes the folder, and takes pictures of an earlier report away. */
async function prepare(folder: string): Promise<void> {
  try {
    await makeFolder(resolve(folder));
    for (const name of Object.values(REPORT_FILES)) await rm(join(folder, name), { force: true });
  } catch (error) {
    throw fileError(OP, 'a folder for a report', folder, error);
  }
}

function checkReport(options: ReportOptions): void {
  checkOptions(OP, options, OPTIONS);
  const { model, result, test, evaluation, config, title, validationName } = options;
  const refuse = (expected: string, received: unknown) =>
    fail('ERR_ARGUMENT', { op: OP, expected, received: describe(received) });
  if (model !== undefined) checkModel(OP, model);
  if (test !== undefined) checkDataset(OP, test);
  for (const [name, text] of Object.entries({ title, validationName })) {
    if (text !== undefined && typeof text !== 'string') throw refuse(`${name} as text`, text);
  }
  if (config !== undefined && (typeof config !== 'object' || config === null || Array.isArray(config))) {
    throw refuse('config as an object', config);
  }
  const { history, curve } = Object(result);
  if (result !== undefined && !(Array.isArray(history) && Array.isArray(curve))) {
    throw refuse('result to be what fit gives', result);
  }
  if (evaluation === undefined) return;
  const { confusion, worst = [] } = Object(evaluation) as Evaluation;
  if (!Array.isArray(confusion)) throw refuse('evaluation to be what evaluate gives', evaluation);
  if (test === undefined) throw refuse('test, the set that the evaluation is of', test);
  const classes = test.classNames.length;
  const isOfTest = confusion.length >= classes && worst.every(({ index }) => index < test.length);
  if (!isOfTest) {
    const received = `one of ${confusion.length} classes, for ${test.length} images in ${classes}`;
    throw fail('ERR_ARGUMENT', { op: OP, expected: 'an evaluation of the test set', received });
  }
}

/** What the log of a training has written; nothing where there is none that can be read. */
async function loggedConfig(folder: string): Promise<Record<string, unknown> | undefined> {
  try {
    const config: unknown = JSON.parse(await readFile(join(folder, LOG_FILES.config), 'utf8'));
    return typeof config === 'object' && config !== null ? (config as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
