// SPDX-License-Identifier: Apache-2.0
// The recipe of airbench (Jordan 2024, "94 % on CIFAR-10 in 3.29 seconds on a single GPU") as options of `fit`.
import { checkDataset } from '../data/dataset.js';
import { DataLoader } from '../data/loader.js';
import type { AnyDataset } from '../data/packed-dataset.js';
import { checkNumber, checkOptions, checkWhole, describe, fail } from '../errors.js';
import { Airbench } from '../models/airbench.js';
import { tensor } from '../tensor/create.js';
import type { FitOptions } from './fit.js';
import type { TrainingLookahead } from './lookaheads.js';

/** What the recipe follows from. */
export interface AirbenchRecipeOptions {
  /** Images a step. Default 512: more and smaller steps than the 1024 of the original suit short trainings. */
  readonly batchSize?: number | undefined;
  /** Of SGD. Default 0.85. */
  readonly momentum?: number | undefined;
}

/** Per 1024 images, and for a momentum of 0: what is left of both when they are scaled. */
const [RATE, DECAY] = [11.5, 0.0153];
/** Epochs in which the bias of the whitening convolution is trained. */
const BIAS_EPOCHS = 3;
/** Images that the whitening is made from. */
const WHITENED = 4096;

/** 0 at first, so that nothing holds the weights back from where they went; the slow ones hardly move in the end. */
const alpha = (progress: number) => 1 - 0.95 ** 5 * progress ** 3;

/** Lookahead as airbench has it. */
export const airbenchLookahead = (every = 5): TrainingLookahead => ({ every, alpha, buffers: true });

/** The numbers and names of the recipe, without what belongs to a model. */
export function airbenchSettings(options: AirbenchRecipeOptions = {}) {
  const op = 'airbenchRecipe';
  checkOptions(op, options, ['batchSize', 'momentum']);
  const batchSize = checkWhole(op, 'batchSize', options.batchSize ?? 512);
  const momentum = checkNumber(op, 'momentum', options.momentum ?? 0.85, 0.001, 0.999);
  return {
    batchSize,
    optimizer: 'sgd',
    lr: (RATE * batchSize) / 1024 / (1 + 1 / (1 - momentum)),
    momentum,
    nesterov: true,
    weightDecay: DECAY / RATE,
    normLr: 64,
    schedule: 'triangular',
    labelSmoothing: 0.2,
    augment: [
      { kind: 'flip', alternate: true },
      { kind: 'crop', padding: 2, border: 'reflect' },
    ],
  } as const satisfies FitOptions;
}

/**
 * Lets the first convolution of an `Airbench` whiten the images of a data set, and gives the options that `fit` trains it with:
 * SGD with Nesterov's momentum, a rate for batch norms of 64 times the others', a triangular schedule, label smoothing, images flipped
 * in every other epoch and moved by up to 2 pixels, Lookahead, the bias of the first convolution trained for 3 epochs.
 *
 * ```js
 * const model = new Airbench();
 * await fit(model, train, { ...airbenchRecipe(model, train), epochs: 10 });
 * const { accuracy } = await evaluate(model, test, { tta: 'mirror-shift' });
 * ```
 *
 * Whatever is to be otherwise is set behind the recipe's. Throws ERR_ARGUMENT for a model that is no `Airbench`, and for wrong
 * options; ERR_SHAPE for images that do not fit the model.
 */
export function airbenchRecipe(
  model: Airbench,
  dataset: AnyDataset,
  options: AirbenchRecipeOptions = {},
): FitOptions {
  if (!(model instanceof Airbench)) {
    const expected = 'a model of class Airbench';
    throw fail('ERR_ARGUMENT', { op: 'airbenchRecipe', expected, received: describe(model) });
  }
  const settings = airbenchSettings(options);
  whitenFrom(model, dataset);
  return { ...settings, lookahead: airbenchLookahead(), freezeAfter: whiteningBias(model) };
}

/** The bias that is trained at first only. */
export const whiteningBias = ({ whitening: { bias } }: Airbench) => ({
  epochs: BIAS_EPOCHS,
  parameters: bias === null ? [] : [bias],
});

/** Whitens by images that are spread over the data set, which may be in order of its classes. */
export function whitenFrom(model: Airbench, dataset: AnyDataset): void {
  checkDataset('airbenchRecipe', dataset);
  using loader = new DataLoader(dataset);
  const count = Math.min(WHITENED, dataset.length);
  using places = tensor(
    Int32Array.from({ length: count }, (_, i) => Math.floor((i * dataset.length) / count)),
  );
  using images = loader.imagesAt(places);
  model.whiten(images);
}
