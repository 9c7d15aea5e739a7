// SPDX-License-Identifier: Apache-2.0
// `receptive eval`: a saved model on test images, normalised as those it was trained on.
import { loadDataset } from '../data/registry.js';
import { fail } from '../errors.js';
import { weightsSha256 } from '../io/weights.js';
import { nativeInfo, setNumThreads } from '../native/bindings.js';
import { evaluate } from '../train/evaluate.js';
import { downloadLine } from './download-line.js';
import { count, duration, plural } from './format.js';
import { loadModel } from './model-file.js';
import { Output, type OutputFlags } from './output.js';
import { reportEvaluation } from './report.js';

/** The options as program.ts reads them. */
export interface EvalFlags extends OutputFlags {
  readonly data?: string;
  readonly dataDir?: string;
  readonly testSize?: number;
  readonly batchSize: number;
  readonly seed?: number;
  readonly threads?: number;
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
  const { dataDir, testSize } = flags;
  const seed = flags.seed ?? file.seed;
  const onProgress = downloadLine(output);
  const { test } = await loadDataset(data, {
    dataDir,
    trainSize: 1,
    testSize,
    seed,
    onProgress,
  });
  const { bold, dim } = output.colors;
  const { isa, threads } = nativeInfo();
  output.progress(`${bold(name)} from ${path} on ${bold(data)}: ${plural(test.length, 'test image')}`);
  output.progress();

  const evaluation = await evaluate(model, { ...test, normalization }, { batchSize: flags.batchSize });
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
  });
  return 0;
}
