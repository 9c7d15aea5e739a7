// SPDX-License-Identifier: Apache-2.0
// Recipes: what `receptive train --recipe NAME` sets where the command line does not say otherwise.
import type { Command } from 'commander';
import type { AnyDataset } from '../data/packed-dataset.js';
import { fail } from '../errors.js';
import { Airbench } from '../models/airbench.js';
import type { Module } from '../nn/module.js';
import { airbenchLookahead, airbenchSettings, whitenFrom, whiteningBias } from '../train/airbench.js';
import type { FitOptions } from '../train/fit.js';
import type { TtaName } from '../train/tta.js';
import { oneOf, positiveNumber, wholeNumber } from './options.js';
import type { TrainFlags } from './train.js';

export const RECIPE_NAMES = ['airbench'] as const;
export type RecipeName = (typeof RECIPE_NAMES)[number];

/** The options as program.ts reads them. */
export interface RecipeFlags {
  readonly recipe?: RecipeName;
  readonly nesterov?: boolean;
  readonly normLr?: number;
  readonly labelSmoothing?: number;
  readonly lookahead?: number;
  readonly tta?: TtaName;
}

/** Adds them to a command, but for `--tta`, which other commands have too. */
export function addRecipeOptions(command: Command): Command {
  return command
    .option(
      '--recipe <name>',
      "airbench: its network, and all settings of Jordan's recipe that are not given",
      oneOf(RECIPE_NAMES),
    )
    .option('--nesterov', "look ahead along sgd's momentum")
    .option('--no-nesterov', 'do not, where a recipe would')
    .option(
      '--norm-lr <factor>',
      'learning rate of normalisation layers, in those of the others',
      positiveNumber(),
    )
    .option(
      '--label-smoothing <share>',
      'spread so much of each label over all classes',
      positiveNumber({ zero: true, below: 1 }),
    )
    .option('--lookahead <steps>', 'go back towards slow weights every so many steps', wholeNumber(1));
}

/** The flags with those of the recipe in place of what was not given on the command line. */
export function withRecipe<Flags extends TrainFlags>(flags: Flags, command: Command): Flags {
  if (flags.recipe === undefined) return flags;
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  const { batchSize, momentum } = flags;
  const settings = airbenchSettings({
    batchSize: isGiven('batchSize') ? batchSize : undefined,
    momentum: isGiven('momentum') ? momentum : undefined,
  });
  const all = { model: 'airbench94', ...settings, lookahead: 5, tta: 'mirror-shift', epochs: 10 };
  const missing = Object.entries(all).filter(([name]) => !isGiven(name));
  return { ...flags, ...Object.fromEntries(missing) };
}

/** What the recipe does to the model before it is trained, and the options of `fit` that no flag has. */
export function recipeOptions(
  { recipe, lookahead, model: name }: TrainFlags,
  model: Module,
  images: AnyDataset,
): FitOptions {
  if (recipe === undefined) return {};
  if (!(model instanceof Airbench)) {
    throw fail('ERR_ARGUMENT', {
      op: '--recipe',
      expected: 'a network of airbench with recipe airbench, such as --model airbench94',
      received: `${name}`,
    });
  }
  whitenFrom(model, images);
  return { lookahead: airbenchLookahead(lookahead), freezeAfter: whiteningBias(model) };
}

/** What was set, in words. */
export function recipeLines({
  nesterov,
  normLr,
  labelSmoothing,
  lookahead,
  tta,
  ...flags
}: TrainFlags): string[] {
  const parts = [
    flags.recipe && `recipe ${flags.recipe}`,
    flags.momentum !== undefined && `momentum ${flags.momentum}`,
    nesterov === true && 'nesterov',
    flags.weightDecay !== undefined && `weight decay ${short(flags.weightDecay)}`,
    normLr !== undefined && `norms lr x ${short(normLr)}`,
    labelSmoothing !== undefined && `label smoothing ${labelSmoothing}`,
    lookahead !== undefined && `lookahead ${lookahead}`,
    tta !== undefined && tta !== 'none' && `tta ${tta}`,
  ];
  return parts.filter((part) => typeof part === 'string');
}

const short = (value: number) => String(Number(value.toPrecision(3)));
