// SPDX-License-Identifier: Apache-2.0
// `receptive train`: data, model, training, and the folder of results.
import type { Augmentation } from '../data/augment.js';
import { type AnySplit, closeDatasets } from '../data/packed-dataset.js';
import { LAYOUT } from '../data/problems.js';
import { loadDataset } from '../data/registry.js';
import { describe, fail } from '../errors.js';
import { createModel } from '../models/registry.js';
import { nativeInfo, setNumThreads } from '../native/bindings.js';
import type { Module } from '../nn/module.js';
import { manualSeed } from '../tensor/random.js';
import { type Evaluation, evaluate } from '../train/evaluate.js';
import { type FitOptions, type FitResult, fit } from '../train/fit.js';
import type { LossName } from '../train/losses.js';
import { DEFAULT_LR, type OptimizerName } from '../train/optimizers.js';
import type { ScheduleName } from '../train/schedules.js';
import { EpochDisplay } from './epochs.js';
import { count, duration, percent, plural } from './format.js';
import { type ImageFlags, imageOptionsOf } from './images.js';
import { type KeepingFlags, keepingOf, type Watched, watchedOf } from './keeping.js';
import { loadingLines } from './loading-lines.js';
import { saveModel } from './model-file.js';
import { checkDataDir, labelOf, type Priority } from './options.js';
import { Output, type OutputFlags } from './output.js';
import { type RecipeFlags, recipeLines, recipeOptions } from './recipe.js';
import { WORST, writeRecords } from './records.js';
import { reportEvaluation } from './report.js';
import { RunFolder } from './run-folder.js';
import { StopRequest } from './stop.js';
import { beginWith, featuresLine, featuresText, type TransferFlags } from './transfer.js';

/** The options as program.ts reads them. */
export interface TrainFlags extends OutputFlags, ImageFlags, KeepingFlags, RecipeFlags, TransferFlags {
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
  readonly loss?: LossName;
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
  readonly watched: Watched;
  readonly folder: RunFolder;
  readonly stop: StopRequest;
  /** How to train. */
  readonly options: FitOptions;
}

export async function trainCommand(flags: TrainFlags): Promise<number> {
  const output = new Output(flags);
  if (flags.threads !== undefined) setNumThreads(flags.threads);
  const folder = await RunFolder.open(folderOf(flags));
  using stop = new StopRequest(() => {
    process.stderr.write('\nstopping after this step; press Ctrl-C again to quit at once\n');
  });
  let split: AnySplit | undefined;
  try {
    split = await loadData(flags, output, stop.signal);
    const job = { ...(await prepare(flags, output, stop, split)), folder };
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

/** Where the results go. */
export const folderOf = (flags: TrainFlags): string =>
  flags.out ?? `runs/${modelNameOf(flags)}-${labelOf(flags.data)}`;

const modelNameOf = ({ model, data }: TrainFlags) => model ?? MODEL_FOR[data] ?? DEFAULT_MODEL;

/** Builds the model, and chooses what is watched. */
export async function prepare(flags: TrainFlags, output: Output, stop: StopRequest, split: AnySplit) {
  const modelName = modelNameOf(flags);
  const watched = watchedOf(flags, split);
  manualSeed(flags.seed);
  const { imageShape, classNames } = split.train;
  const { model } = createModel(modelName, { inputShape: imageShape, classes: classNames.length });
  const options = { ...fitOptionsOf(flags), ...recipeOptions(flags, model, watched.train) };
  await beginWith(flags, model, output);
  return { flags, output, modelName, model, split, watched, stop, options };
}

/** Loads the data sets, which are the caller's to close. */
export async function loadData(flags: TrainFlags, output: Output, signal: AbortSignal): Promise<AnySplit> {
  const { data, dataDir, trainSize, testSize, seed } = flags;
  checkDataDir(data, dataDir);
  const split = await loadDataset(data, {
    ...{ dataDir, trainSize, testSize, seed, signal, images: imageOptionsOf(flags) },
    onDisk: true,
    ...loadingLines(output),
  });
  if (split.train.classNames.length > 1) return split;
  await closeDatasets(split.train, split.test);
  throw fail('ERR_DATA', {
    op: `--data ${data}`,
    expected: 'at least two classes to tell apart',
    received: `one, ${describe(split.train.classNames[0])}`,
    hint: `it should look like ${LAYOUT}`,
  });
}

/** Says what is trained, on what, and how. */
export function sayWhat({ flags, output, modelName, model, split, watched }: Omit<Job, 'folder'>): void {
  const { bold, dim } = output.colors;
  const { isa, threads } = nativeInfo();
  const chosen = flags.model === undefined && modelName !== DEFAULT_MODEL ? ' (chosen for this data)' : '';
  const held = watched.name === 'test' ? '' : `, ${count(watched.validation.length)} validation`;
  output.progress(
    `${bold(modelName)}${chosen} on ${bold(flags.data)}: ${count(model.parameterCount)} parameters, ` +
      `${count(watched.train.length)} training${held} and ${plural(split.test.length, 'test image')}`,
  );
  const lr = flags.lr ?? DEFAULT_LR[flags.optimizer];
  const settings = [
    `${isa}, ${plural(threads, 'thread')}`,
    `${flags.optimizer}, lr ${Number(lr.toPrecision(4))}, ${flags.schedule}`,
    `batch ${flags.batchSize}`,
    `seed ${flags.seed}`,
  ];
  output.progress(dim(settings.join('  ·  ')));
  const more = recipeLines(flags);
  if (more.length > 0) output.progress(dim(more.join('  ·  ')));
  output.progress();
}

/** How the flags say to train. */
export function fitOptionsOf(flags: TrainFlags): FitOptions {
  const budget = flags.minutes === undefined ? undefined : { minutes: flags.minutes };
  const epochs = budget === undefined ? flags.epochs : undefined;
  const { batchSize, microBatches, loss, optimizer, lr, momentum, weightDecay, schedule, seed } = flags;
  return {
    ...{
      epochs,
      batchSize,
      microBatches,
      loss,
      optimizer,
      lr,
      momentum,
      weightDecay,
      schedule,
      seed,
      budget,
    },
    ...{ warmup: flags.warmup, clipGradNorm: flags.clipNorm, clipGradValue: flags.clipValue, ema: flags.ema },
    ...{ priority: flags.priority, cpuShare: flags.cpuShare, augment: flags.augment },
    ...{ nesterov: flags.nesterov, normLr: flags.normLr },
    ...{ labelSmoothing: flags.labelSmoothing, lookahead: flags.lookahead },
  };
}

async function watch({
  flags,
  output,
  model,
  modelName,
  split,
  watched,
  stop,
  folder,
  options,
}: Job): Promise<FitResult> {
  const { train, validation, name } = watched;
  const display = new EpochDisplay(output, options.epochs, stop.signal, name);
  const { json: _json, quiet: _quiet, ...settings } = flags;
  const sizes = { trainImages: train.length, testImages: split.test.length };
  try {
    return await fit(model, train, {
      ...options,
      ...keepingOf(flags, folder.file('checkpoints')),
      log: { dir: folder.path, config: { ...settings, ...sizes, epochs: options.epochs, model: modelName } },
      validation,
      signal: stop.signal,
      onFeatures: featuresLine(output),
      onProgress: (report) => display.onProgress(report),
      onEpoch: (row) => display.onEpoch(row),
      onCheckpoint: (report) => display.onCheckpoint(report),
    });
  } finally {
    display.clear();
  }
}

/** Refuses to save a model whose last step was too long to be of use: its loss on the images that are watched is not finite. */
function checkUsable({ history }: FitResult, name: string): void {
  const last = history.at(-1);
  if (last?.valLoss === undefined || Number.isFinite(last.valLoss)) return;
  throw fail('ERR_NUMERICS', {
    op: 'train',
    expected: `a finite loss on the ${name} images`,
    received: `${last.valLoss} after epoch ${last.epoch}`,
    hint: 'a smaller --lr usually helps; nothing was saved',
  });
}

async function finish(job: Job, result: FitResult): Promise<number> {
  checkUsable(result, job.watched.name);
  const { output, model, split, stop } = job;
  const { bold } = output.colors;
  const saved = await saveModel(job.folder.file('model.safetensors'), { ...job, dataset: split.train });
  let evaluation: Evaluation;
  try {
    evaluation = await evaluate(model, split.test, {
      worst: WORST,
      loss: job.flags.loss,
      tta: job.flags.tta,
      signal: stop.signal,
    });
  } catch (error) {
    if (stop.exitCode === undefined) throw error;
    return finishEarly(job, result);
  }
  const records = await writeRecords(job.folder, { ...job, result, evaluation });
  output.progress();
  reportEvaluation(output, evaluation, split.test.classNames);
  output.progress();
  const features = featuresText(result.cachedFeatures, result.notCached);
  if (features !== undefined) output.line(features);
  if (result.stoppedEarly) output.line(`ended early, with the weights of epoch ${result.bestEpoch}`);
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
  const { output, split, stop, folder, watched } = job;
  const { bold } = output.colors;
  const saved = await saveModel(folder.file('model.safetensors'), { ...job, dataset: split.train });
  const records = await writeRecords(folder, { ...job, result, evaluation: undefined });
  const last = result.history.at(-1);
  const accuracy =
    last?.valAccuracy === undefined ? '' : `, last ${watched.name} accuracy ${percent(last.valAccuracy)}`;
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
    stoppedEarly: result.stoppedEarly,
    bestEpoch: result.bestEpoch ?? null,
    cachedFeatures: result.cachedFeatures ?? null,
    notCached: result.notCached ?? null,
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
