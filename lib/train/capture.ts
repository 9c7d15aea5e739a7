// SPDX-License-Identifier: Apache-2.0
// `capture`: from a step, or a model and what trains it, to a plan.

import { DataLoader } from '../data/loader.js';
import { checkOptions, describe, fail } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';
import { DTYPES, type DType } from '../native/bindings.js';
import { Module } from '../nn/module.js';
import { type ClipOptions, checkClip } from '../optim/clip.js';
import { EMA } from '../optim/ema.js';
import { LRScheduler } from '../optim/lr-scheduler.js';
import { Optimizer } from '../optim/optimizer.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Plan, type Training } from './captured-plan.js';
import { checkLoss, type Loss } from './losses.js';
import { checkManners, type MannersOptions } from './manners.js';
import { checkMicroBatches, type MicroBatchOptions } from './micro-batches.js';
import type { StepFunction, StreamSpecs } from './plan.js';
import { checkPlanning } from './planning.js';
import { type DividedStepFunction, loaderSpecs, RecordedInputs } from './recorded-inputs.js';
import { inMode } from './slices.js';
import { requireFinite, trainOn } from './train-step.js';

/** A training step: forward in training mode, loss, backward, update. Its inputs are `images` and `labels`. */
export interface TrainingStep extends ClipOptions {
  readonly model: Module;
  readonly optimizer: Optimizer;
  /** Default 'crossEntropy': then the step hands out `loss` and `correct`, how many were right; else `loss`. */
  readonly loss?: Loss | undefined;
  /** Goes on to its next step behind each update. */
  readonly scheduler?: LRScheduler | undefined;
  /** Takes the weights into its averages behind each update. */
  readonly ema?: EMA | undefined;
}

/** One input of a step: its shape, or that and its dtype. */
export type InputSpec = Shape | { readonly shape: Shape; readonly dtype?: DType | undefined };

/** What a plan is recorded for. */
export interface CaptureOptions extends MannersOptions, PlanOptions, MicroBatchOptions {
  /**
   * The inputs of a step: a shape for each, with a dtype where it is not float32 (`labels` are int32 by themselves); or the
   * `DataLoader` that will give them.
   */
  readonly inputs?: DataLoader | Readonly<Record<string, InputSpec>> | undefined;
  /** In place of `inputs`: the shape of `images`, with `labels` of as many rows for a training step. */
  readonly input?: Shape | undefined;
}

/**
 * Records one step, without running it, for replay by native code: many steps a call, on threads of the library's own.
 *
 * @param step a training step, or a synchronous function from `{ name: tensor }` to `{ name: tensor }`. The function is called
 *   when it is recorded: once now, and once more where inputs come in another way, as from a `DataLoader` with a shorter
 *   last batch. What it decides then holds for every replay. It may call `step()` of an optimizer once; gradients live within
 *   the step. Modules are in the mode they are in when it is called.
 *
 * Throws ERR_CAPTURE for a step that looks at values, with the line that does; ERR_ARGUMENT, ERR_SHAPE, ERR_DTYPE.
 */
export function capture(step: StepFunction | TrainingStep, options: CaptureOptions): Plan {
  const body = typeof step === 'function' ? undefined : trainingStep(step);
  checkOptions('capture', options, OPTIONS);
  const manners = checkManners('capture', options);
  const loader = options.inputs instanceof DataLoader ? options.inputs : undefined;
  const specs = loader === undefined ? specsOf(options, typeof step !== 'function') : loaderSpecs(loader);
  if (typeof step !== 'function' && !(specs.images && specs.labels)) {
    throw refuse('the inputs images and labels for a training step', Object.keys(specs).join(', '));
  }
  const planning = checkPlanning('capture', options);
  const parts = checkMicroBatches('capture', options, specs.images?.shape[0] ?? 1, planning.maxMemory);
  if (body === undefined && parts !== 1) {
    throw refuse('a training step, { model, optimizer }, for microBatches', 'a function');
  }
  const recorded = body === undefined ? (step as StepFunction) : { step: body, parts };
  const training = typeof step === 'function' ? undefined : failedStep(step);
  return new Plan(new RecordedInputs(recorded, specs, loader, planning), manners, training);
}

const OPTIONS: readonly (keyof CaptureOptions)[] = [
  ...([
    'inputs',
    'input',
    'microBatches',
    'maxMemory',
    'fold',
    'tune',
    'threads',
    'priority',
    'cpuShare',
  ] as const),
];

const STEP_PARTS: readonly (keyof TrainingStep)[] = [
  ...(['model', 'optimizer', 'loss', 'clipGradNorm', 'clipGradValue', 'scheduler', 'ema'] as const),
];

function refuse(expected: string, received: string, hint?: string) {
  return fail('ERR_ARGUMENT', { op: 'capture', expected, received, hint });
}

function trainingStep(step: TrainingStep): DividedStepFunction {
  const isStep = typeof step === 'object' && step !== null;
  if (!isStep || !(step.model instanceof Module) || !(step.optimizer instanceof Optimizer)) {
    throw refuse('a function, or { model, optimizer }', describe(step));
  }
  const { model, optimizer } = step;
  checkOptions('capture', step, STEP_PARTS);
  const { scheduler, ema } = step;
  if (scheduler !== undefined && !(scheduler instanceof LRScheduler && scheduler.isOf(optimizer))) {
    throw refuse('scheduler to be an LRScheduler of this optimizer', describe(scheduler));
  }
  if (ema !== undefined && !(ema instanceof EMA && ema.isOf(model))) {
    throw refuse('ema to be an EMA of this model', describe(ema));
  }
  const clip = checkClip('capture', step);
  const learner = {
    model,
    optimizer,
    clip,
    scheduler,
    ema,
    loss: checkLoss('capture', step.loss),
    countsCorrect: countsCorrect(step),
  };
  return (rows, samples, size, parts) =>
    inMode(model, true, () => ({ ...trainOn(learner, rows, samples, size, requireFinite, parts) }));
}

/** A loss of one's own may be of other labels than classes. */
function countsCorrect({ loss = 'crossEntropy' }: TrainingStep): boolean {
  return loss === 'crossEntropy';
}

/** How a step that was refused is computed again, to see where its numbers stopped being finite. */
function failedStep({ model, loss }: TrainingStep): Training {
  const lossOf = checkLoss('capture', loss);
  return (inputs) => {
    let made: Readonly<Record<string, Tensor>> = {};
    const images = () => {
      made = inputs();
      return made.images;
    };
    return { model, images, loss: (outputs) => lossOf(outputs, made.labels) };
  };
}

function specsOf({ input, inputs }: CaptureOptions, isTraining: boolean): StreamSpecs {
  if ((input === undefined) === (inputs === undefined)) {
    throw refuse('input or inputs, one of the two', input === undefined ? 'neither' : 'both');
  }
  if (input !== undefined) {
    const images = specOf('images', input);
    return isTraining ? { images, labels: specOf('labels', [input[0]]) } : { images };
  }
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
    throw refuse('inputs as { name: shape }', describe(inputs), 'give a single shape as input');
  }
  return Object.fromEntries(
    Object.entries(inputs as Readonly<Record<string, InputSpec>>).map(([name, spec]) => [
      name,
      specOf(name, spec),
    ]),
  );
}

function specOf(name: string, spec: InputSpec): StreamSpecs[string] {
  const { shape, dtype = undefined } =
    'shape' in Object(spec) ? (spec as { shape: Shape; dtype?: DType }) : { shape: spec as Shape };
  if (!Array.isArray(shape)) throw refuse(`a shape for input ${name}`, describe(spec));
  if (dtype !== undefined && !DTYPES.includes(dtype)) {
    throw fail('ERR_DTYPE', {
      op: 'capture',
      expected: `input ${name} to be one of ${DTYPES.join(', ')}`,
      received: describe(dtype),
    });
  }
  return { shape: checkShape('capture', shape), dtype: dtype ?? (name === 'labels' ? 'int32' : 'float32') };
}
