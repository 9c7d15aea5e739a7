// SPDX-License-Identifier: Apache-2.0
// `receptive train`: data, model, training, and the folder of results.
import type { Augmentation } from '../data/augment.js';
import { type AnySplit, closeDatasets } from '../data/packed-dataset.js';
import { loadDataset } from '../data/registry.js';
import { fail } from '../errors.js';
import { createModel } from '../models/registry.js';
import { nativeInfo, setNumThreads } from '../native/bindings.js';
import type { Module } from '../nn/module.js';
import { manualSeed } from '../tensor/random.js';
import type { KeepingOptions } from '../train/checkpoint-options.js';
import { type Evaluation, evaluate } from '../train/evaluate.js';
import { type FitResult, fit } from '../train/fit.js';
import { DEFAULT_LR, type OptimizerName } from '../train/optimizers.js';
import type { ScheduleName } from '../train/schedules.js';
import { EpochDisplay } from './epochs.js';
import { count, duration, percent, plural } from './format.js';
import { type ImageFlags, imageOptionsOf } from './images.js';
import { loadingLines } from './loading-lines.js';
import { saveModel } from './model-file.js';
import { checkDataDir, labelOf, type Priority } from './options.js';
import { Output, type OutputFlags } from './output.js';
import { writeRecords } from './records.js';
import { reportEvaluation } from './report.js';
import { RunFolder } from './run-folder.js';
import { StopRequest } from './stop.js';

/** The options as program.ts reads them. */
export interface TrainFlags extends OutputFlags, ImageFlags {
  readonly model?: string;
  readonly data: string;
  readonly dataDir?: string;
  readonly trainSize?: number;
  readonly augment?: readonly Augmentation[];
  readonly testSize?: number;
  readonly epochs: number;
  readonly minutes?: number;
  readonly batchSize: number;
  readonly microBatches?: number;
  readonly optimizer: OptimizerName;
  readonly lr?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly schedule: ScheduleName;
  readonly warmup?: number;
  readonly clipNorm?: number;
  readonly clipValue?: number;
  readonly ema?: number;
  readonly seed: number;
  readonly threads?: number;
  readonly priority?: Priority;
  readonly cpuShare?: number;
  readonly out?: string;
  readonly checkpointEvery?: number;
  readonly resume?: boolean;
}

/** The model that a data set is trained with when none is named. */
const MODEL_FOR: Readonly<Record<string, string>> = { xo: 'xo' };
const DEFAULT_MODEL = 'lenet5';

/** What a training is made of, once everything is there. */
interface Job {
  readonly flags: TrainFlags;
  readonly output: Output;
  readonly modelName: string;
  readonly model: Module;
  readonly split: AnySplit;
  readonly folder: RunFolder;
  readonly stop: StopRequest;
}

export async function trainCommand(flags: TrainFlags): Promise<number> {
  const output = new Output(flags);
  const modelName = flags.model ?? MODEL_FOR[flags.data] ?? DEFAULT_MODEL;
  if (flags.threads !== undefined) setNumThreads(flags.threads);
  const folder = await RunFolder.open(flags.out ?? `runs/${modelName}-${labelOf(flags.data)}`);
  using stop = new StopRequest(() => {
    process.stderr.write('\nstopping after this step; press Ctrl-C again to quit at once\n');
  });
  let split: AnySplit | undefined;
  try {
    split = await loadData(flags, output, stop.signal);
    manualSeed(flags.seed);
    const { imageShape, classNames } = split.train;
    const { model } = createModel(modelName, { inputShape: imageShape, classes: classNames.length });
    const job = { flags, output, modelName, model, split, folder, stop };
    sayWhat(job);
    const result = await watch(job);
    return result.aborted ? await finishEarly(job, result) : await finish(job, result);
  } catch (error) {
    await folder.abandon();
    if (stop.exitCode === undefined) throw error;
    process.stderr.write('receptive: stopped before there was anything to save\n');
    return stop.exitCode;
  } finally {
    if (split !== undefined) await closeDatasets(split.train, split.test);
  }
}

async function loadData(flags: TrainFlags, output: Output, signal: AbortSignal): Promise<AnySplit> {
  const { data, dataDir, trainSize, testSize, seed } = flags;
  checkDataDir(data, dataDir);
  return loadDataset(data, {
    ...{ dataDir, trainSize, testSize, seed, signal, images: imageOptionsOf(flags) },
    onDisk: true,
    ...loadingLines(output),
  });
}

function sayWhat({ flags, output, modelName, model, split }: Job): void {
  const { bold, dim } = output.colors;
  const { isa, threads } = nativeInfo();
  const chosen = flags.model === undefined && modelName !== DEFAULT_MODEL ? ' (chosen for this data)' : '';
  output.progress(
    `${bold(modelName)}${chosen} on ${bold(flags.data)}: ${count(model.parameterCount)} parameters, ` +
      `${count(split.train.length)} training and ${plural(split.test.length, 'test image')}`,
  );
  const lr = flags.lr ?? DEFAULT_LR[flags.optimizer];
  const settings = [
    `${isa}, ${plural(threads, 'thread')}`,
    `${flags.optimizer}, lr ${lr}, ${flags.schedule}`,
    `batch ${flags.batchSize}`,
    `seed ${flags.seed}`,
  ];
  output.progress(dim(settings.join('  ·  ')));
  output.progress();
}

async function watch({ flags, output, model, split, stop, folder }: Job): Promise<FitResult> {
  const budget = flags.minutes === undefined ? undefined : { minutes: flags.minutes };
  const epochs = budget === undefined ? flags.epochs : undefined;
  const display = new EpochDisplay(output, epochs, stop.signal);
  const { batchSize, microBatches, optimizer, lr, momentum, weightDecay, schedule, seed } = flags;
  try {
    return await fit(model, split.train, {
      ...{ epochs, batchSize, microBatches, optimizer, lr, momentum, weightDecay, schedule, seed },
      ...{
        warmup: flags.warmup,
        clipGradNorm: flags.clipNorm,
        clipGradValue: flags.clipValue,
        ema: flags.ema,
      },
      ...{ priority: flags.priority, cpuShare: flags.cpuShare },
      ...keepingOf(flags, folder),
      budget,
      validation: split.test,
      augment: flags.augment,
      signal: stop.signal,
      onProgress: (report) => display.onProgress(report),
      onEpoch: (row) => display.onEpoch(row),
      onCheckpoint: (report) => display.onCheckpoint(report),
    });
  } finally {
    display.clear();
  }
}

/** Checkpoints stand in the folder of results. */
function keepingOf({ checkpointEvery, resume }: TrainFlags, folder: RunFolder): KeepingOptions {
  if (checkpointEvery === undefined && resume !== true) return {};
  return { checkpoint: { dir: folder.file('checkpoints'), everySteps: checkpointEvery }, resume };
}

/** Refuses to save a model whose last step was too long to be of use: its loss on the test images is not finite. */
function checkUsable({ history }: FitResult): void {
  const last = history.at(-1);
  if (last?.valLoss === undefined || Number.isFinite(last.valLoss)) return;
  throw fail('ERR_NUMERICS', {
    op: 'train',
    expected: 'a finite loss on the test images',
    received: `${last.valLoss} after epoch ${last.epoch}`,
    hint: 'a smaller --lr usually helps; nothing was saved',
  });
}

async function finish(job: Job, result: FitResult): Promise<number> {
  checkUsable(result);
  const { output, model, split, stop } = job;
  const { bold } = output.colors;
  const saved = await saveModel(job.folder.file('model.safetensors'), { ...job, dataset: split.train });
  let evaluation: Evaluation;
  try {
    evaluation = await evaluate(model, split.test, { signal: stop.signal });
  } catch (error) {
    if (stop.exitCode === undefined) throw error;
    return finishEarly(job, result);
  }
  const records = await writeRecords(job.folder, { ...job, result, evaluation });
  output.progress();
  reportEvaluation(output, evaluation, split.test.classNames);
  output.progress();
  output.line(`trained in ${duration(result.seconds)} at ${count(result.imagesPerSecond)} images/s`);
  output.line(`saved ${bold(saved.path)}, beside it ${records.join(', ')}`);
  output.json({
    ...summaryOf(job, result, saved),
    testAccuracy: evaluation.accuracy,
    testLoss: evaluation.loss,
  });
  return 0;
}

/** After Ctrl-C: the weights of the last step are worth keeping, a measurement can be made later. */
async function finishEarly(job: Job, result: FitResult): Promise<number> {
  const { output, split, stop, folder } = job;
  const { bold } = output.colors;
  const saved = await saveModel(folder.file('model.safetensors'), { ...job, dataset: split.train });
  const records = await writeRecords(folder, { ...job, result, evaluation: undefined });
  const last = result.history.at(-1);
  const accuracy = last?.valAccuracy === undefined ? '' : `, last test accuracy ${percent(last.valAccuracy)}`;
  output.line(`stopped after ${plural(result.steps, 'step')}${accuracy}`);
  output.line(`saved ${bold(saved.path)}, beside it ${records.join(', ')}`);
  output.json({ ...summaryOf(job, result, saved), testAccuracy: null, testLoss: null });
  return stop.exitCode ?? 1;
}

function summaryOf(job: Job, result: FitResult, saved: { path: string; weightsSha256: string }): object {
  const { isa, threads } = nativeInfo();
  return {
    testAccuracy: null,
    testLoss: null,
    epochs: result.history.length,
    steps: result.steps,
    resumedAt: result.resumedAt ?? null,
    stopped: result.aborted,
    seconds: result.seconds,
    imagesPerSecond: result.imagesPerSecond,
    threads,
    isa,
    weightsSha256: saved.weightsSha256,
    model: saved.path,
    data: job.flags.data,
    seed: job.flags.seed,
  };
}
