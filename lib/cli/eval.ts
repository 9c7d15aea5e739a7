// SPDX-License-Identifier: Apache-2.0
// `receptive eval`: a saved model on test images, normalised as those it was trained on.
import { type AnyDataset, closeDatasets, withNormalization } from '../data/packed-dataset.js';
import { loadDataset } from '../data/registry.js';
import { describe, fail } from '../errors.js';
import { weightsSha256 } from '../io/weights.js';
import type { MetricName } from '../metrics/names.js';
import { nativeInfo, setNumThreads } from '../native/bindings.js';
import { evaluate } from '../train/evaluate.js';
import type { TtaName } from '../train/tta.js';
import { count, duration, plural } from './format.js';
import { type ImageFlags, imageOptionsOf } from './images.js';
import { loadingLines } from './loading-lines.js';
import { loadModel } from './model-file.js';
import { checkDataDir, type Priority } from './options.js';
import { Output, type OutputFlags } from './output.js';
import { reportEvaluation } from './report.js';

/** The options as program.ts reads them. */
export interface EvalFlags extends OutputFlags, ImageFlags {
  readonly data?: string;
  readonly dataDir?: string;
  readonly testSize?: number;
  readonly batchSize: number;
  readonly metrics?: MetricName[];
  readonly tta?: TtaName;
  readonly seed?: number;
  readonly threads?: number;
  readonly priority?: Priority;
  readonly cpuShare?: number;
}

/** Refuses images or classes that are not those the model was made for, before a layer stumbles over them. */
function checkSuits(
  path: string,
  inputShape: readonly number[],
  classNames: readonly string[],
  { name, imageShape, classNames: classes }: AnyDataset,
): void {
  const isShaped = imageShape.join() === inputShape.join() && classes.length === classNames.length;
  const other = classNames.findIndex((className, i) => className !== classes[i]);
  if (isShaped && other < 0) return;
  throw fail('ERR_DATA', {
    op: 'eval',
    expected: `images of [${inputShape.join(', ')}] in ${classNames.length} classes, as ${path} was trained on`,
    received: isShaped
      ? `${name}, which has ${describe(classes[other])} where that has ${describe(classNames[other])}`
      : `${name}, which has [${imageShape.join(', ')}] in ${classes.length}`,
    hint: 'leave out --data to use what it was trained on',
  });
}

export async function evalCommand(path: string, flags: EvalFlags): Promise<number> {
  const output = new Output(flags);
  if (flags.threads !== undefined) setNumThreads(flags.threads);
  const { name, model, normalization, classNames, ...file } = await loadModel(path);
  const data = flags.data ?? file.data;
  if (data === undefined) {
    throw fail('ERR_ARGUMENT', {
      op: 'eval',
      expected: '--data with the name of a data set',
      received: `none, and ${path} does not say what it was trained on`,
    });
  }
  const { dataDir, testSize, batchSize, metrics, tta, priority, cpuShare } = flags;
  const seed = flags.seed ?? file.seed;
  checkDataDir(data, dataDir);
  const test = await loadDataset(data, {
    ...{ split: 'test', onDisk: true, dataDir, testSize, seed, images: imageOptionsOf(flags) },
    ...loadingLines(output),
  });
  checkSuits(path, file.inputShape, classNames, test);
  const { bold, dim } = output.colors;
  const { isa, threads } = nativeInfo();
  output.progress(`${bold(name)} from ${path} on ${bold(data)}: ${plural(test.length, 'test image')}`);
  output.progress();

  const options = { batchSize, metrics, tta, priority, cpuShare };
  const evaluation = await evaluate(model, withNormalization(test, normalization), options);
  await closeDatasets(test);
  const { accuracy, loss, images, seconds, imagesPerSecond, confusion } = evaluation;
  reportEvaluation(output, evaluation, classNames);
  output.progress(
    dim(`${duration(seconds)}, ${count(imagesPerSecond)} images/s, ${isa}, ${plural(threads, 'thread')}`),
  );
  output.json({
    testAccuracy: accuracy,
    testLoss: loss,
    images,
    seconds,
    imagesPerSecond,
    threads,
    isa,
    weightsSha256: weightsSha256(model),
    model: path,
    data,
    confusion,
    ...(evaluation.metrics && { metrics: evaluation.metrics }),
  });
  return 0;
}
