// SPDX-License-Identifier: Apache-2.0
// `receptive train` with a flag that tries instead of training: what it will cost, which learning rate, whether it works at all.
// No model is saved.
import type { Command } from 'commander';
import { type AnySplit, closeDatasets } from '../data/packed-dataset.js';
import { fail } from '../errors.js';
import { setNumThreads } from '../native/bindings.js';
import { estimate } from '../train/estimate.js';
import { findLearningRate } from '../train/find-learning-rate.js';
import { type FitOptions, type FitResult, fit } from '../train/fit.js';
import { learningRatesSvg } from '../viz/learning-rates.js';
import { EpochDisplay } from './epochs.js';
import { bytes, count, duration, percent, plural } from './format.js';
import { keepingOf } from './keeping.js';
import { wholeNumber } from './options.js';
import { Output } from './output.js';
import { RunFolder } from './run-folder.js';
import { StopRequest } from './stop.js';
import { folderOf, loadData, prepare, sayWhat, type TrainFlags } from './train.js';

/** The options as program.ts reads them. */
export interface TrialFlags extends TrainFlags {
  readonly estimate?: boolean;
  readonly findLr?: boolean;
  readonly fastDevRun?: boolean | number;
  readonly overfitBatches?: number;
}

/** Adds them to a command. */
export function addTrialOptions(command: Command): Command {
  return command
    .option('--estimate', 'say what the training will cost in time and memory, and train nothing')
    .option('--find-lr', 'try learning rates, draw the losses and suggest one, and save no model')
    .option(
      '--fast-dev-run [batches]',
      'one epoch of one batch, or so many, to find mistakes; writes nothing',
      wholeNumber(1),
    )
    .option(
      '--overfit-batches <n>',
      'train on the first so many batches alone, which a sound model learns by heart; writes nothing',
      wholeNumber(1),
    );
}

type Job = Awaited<ReturnType<typeof prepare>> & { readonly flags: TrialFlags };
type Trial = (job: Job) => Promise<number>;

const TRIALS: readonly (readonly [flag: keyof TrialFlags, name: string, run: Trial])[] = [
  ['estimate', '--estimate', sayEstimate],
  ['findLr', '--find-lr', findRate],
  ['fastDevRun', '--fast-dev-run', runFast],
  ['overfitBatches', '--overfit-batches', overfit],
];

const wanted = (flags: TrialFlags) => TRIALS.filter(([flag]) => flags[flag] !== undefined);

/** Whether something is to be tried. */
export const isTried = (flags: TrialFlags): boolean => wanted(flags).length > 0;

export async function trialCommand(flags: TrialFlags): Promise<number> {
  const [[, name, run], other] = wanted(flags);
  if (other !== undefined) {
    throw fail('ERR_ARGUMENT', {
      op: name,
      expected: 'one trial at a time',
      received: `${other[1]} as well`,
    });
  }
  if (flags.overfitBatches !== undefined && flags.validation !== undefined) {
    const expected = 'no --validation: the batches themselves are watched';
    throw fail('ERR_ARGUMENT', { op: name, expected, received: `${flags.validation}` });
  }
  const output = new Output(flags);
  if (flags.threads !== undefined) setNumThreads(flags.threads);
  using stop = new StopRequest(() => process.stderr.write('\nstopping\n'));
  let split: AnySplit | undefined;
  try {
    split = await loadData(flags, output, stop.signal);
    const job: Job = { ...(await prepare(flags, output, stop, split)), flags };
    sayWhat(job);
    return await run(job);
  } catch (error) {
    if (stop.exitCode === undefined) throw error;
    return stop.exitCode;
  } finally {
    if (split !== undefined) await closeDatasets(split.train, split.test);
  }
}

async function sayEstimate({ flags, output, model, watched, stop, options: training }: Job): Promise<number> {
  const { train, validation } = watched;
  const options: FitOptions = {
    ...training,
    ...keepingOf(flags, folderOf(flags)),
    validation,
    signal: stop.signal,
  };
  const found = await estimate(model, train, options);
  const {
    stepsPerEpoch,
    secondsPerStep,
    imagesPerSecond,
    secondsPerEpoch,
    seconds,
    stepBytes = 0,
    otherBytes,
  } = found;
  const { bold } = output.colors;
  const weightBytes = 4 * model.parameterCount;
  const whole = flags.minutes === undefined ? plural(flags.epochs, 'epoch') : 'the budget';
  output.line(
    `an epoch takes ${bold(duration(secondsPerEpoch))}: ${plural(stepsPerEpoch, 'step')} of ` +
      `${(1000 * secondsPerStep).toPrecision(3)} ms, ${count(imagesPerSecond)} images/s; ${whole} ${bold(duration(seconds))}`,
  );
  output.line(
    `memory: ${bytes(stepBytes)} for the buffers of a step, ${bytes(otherBytes)} for data, optimizer and averages, ` +
      `${bytes(weightBytes)} for weights`,
  );
  output.json({ ...found, stepBytes: found.stepBytes ?? null, weightBytes });
  return 0;
}

async function findRate({
  flags,
  output,
  model,
  modelName,
  watched,
  stop,
  options: training,
}: Job): Promise<number> {
  const {
    epochs: _,
    budget: __,
    lr: ___,
    schedule: ____,
    warmup: _____,
    ema: ______,
    lookahead: _______,
    freezeAfter: ________,
    ...options
  } = training;
  const folder = await RunFolder.open(folderOf(flags));
  try {
    const curve = await findLearningRate(model, watched.train, { ...options, signal: stop.signal });
    const { suggestion } = curve;
    const title = `Learning rates of ${modelName} on ${flags.data}, ${flags.optimizer}`;
    await folder.write('learning-rates.svg', await learningRatesSvg({ ...curve, title }));
    const picture = folder.file('learning-rates.svg');
    const { bold } = output.colors;
    output.line(
      suggestion === undefined
        ? 'the loss never fell: no rate is suggested'
        : `try --lr ${bold(suggestion.toPrecision(2))}`,
    );
    output.line(`saved ${picture}: the loss at ${plural(curve.rates.length, 'rate')}`);
    output.json({ suggestion: suggestion ?? null, picture, rates: curve.rates, losses: curve.losses });
    return 0;
  } catch (error) {
    await folder.abandon();
    throw error;
  }
}

async function runFast(job: Job): Promise<number> {
  const { flags, output, watched } = job;
  const folder = await RunFolder.open(folderOf(flags)); // which is a mistake to be found, too
  try {
    const result = await train(job, { fastDevRun: flags.fastDevRun, validation: watched.validation }, 1);
    if (result.aborted) return job.stop.exitCode ?? 1;
    output.line(`everything works: ${plural(result.steps, 'step')} and a validation, nothing was written`);
    output.json(summaryOf(result));
    return 0;
  } finally {
    await folder.abandon();
  }
}

async function overfit(job: Job): Promise<number> {
  const { flags, output } = job;
  const result = await train(job, { overfitBatches: flags.overfitBatches }, job.options.epochs);
  const { valLoss = Number.NaN, valAccuracy = Number.NaN } = result.history.at(-1) ?? {};
  const { bold } = output.colors;
  const batches = plural(flags.overfitBatches ?? 0, 'batch', 'batches');
  output.line(
    `${batches}: accuracy ${bold(percent(valAccuracy))}, loss ${valLoss.toPrecision(3)}; nothing was written`,
  );
  output.line(
    valAccuracy === 1
      ? 'the model can learn these images by heart'
      : 'not learnt by heart: more --epochs, another --lr, or a mistake in model or data',
  );
  output.json(summaryOf(result));
  return result.aborted ? (job.stop.exitCode ?? 1) : 0;
}

async function train(
  { flags, output, model, watched, stop, options }: Job,
  trial: Pick<FitOptions, 'fastDevRun' | 'overfitBatches' | 'validation'>,
  epochs: number | undefined,
): Promise<FitResult> {
  const display = new EpochDisplay(
    output,
    epochs,
    stop.signal,
    trial.overfitBatches === undefined ? watched.name : 'again',
  );
  const { earlyStopping } = keepingOf(flags, folderOf(flags));
  try {
    return await fit(model, watched.train, {
      ...options,
      ...trial,
      ...{ earlyStopping, signal: stop.signal },
      onProgress: (report) => display.onProgress(report),
      onEpoch: (row) => display.onEpoch(row),
    });
  } finally {
    display.clear();
  }
}

function summaryOf({ steps, seconds, imagesPerSecond, aborted, history }: FitResult): object {
  const { loss = null, accuracy = null, valLoss = null, valAccuracy = null } = history.at(-1) ?? {};
  const epochs = history.length;
  return { steps, epochs, seconds, imagesPerSecond, loss, accuracy, valLoss, valAccuracy, stopped: aborted };
}
