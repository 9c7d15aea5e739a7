// SPDX-License-Identifier: Apache-2.0
// Flags of `receptive train` that keep a training and end it: checkpoints, resuming, early stopping, images to watch.
import type { Command } from 'commander';
import { type AnyDataset, type AnySplit, PackedDataset } from '../data/packed-dataset.js';
import { stratifiedSplit } from '../data/select.js';
import { fail } from '../errors.js';
import { MEASUREMENTS, type Measurement } from '../train/checkpoint-options.js';
import type { FitOptions } from '../train/fit.js';
import { oneOf, positiveNumber, wholeNumber } from './options.js';

const BEST_NAMES = [...MEASUREMENTS, 'none'] as const;
/** What --early-stopping watches where no share is named. */
const HELD_OUT = 0.1;

/** The options as program.ts reads them. */
export interface KeepingFlags {
  readonly checkpointEvery?: number;
  readonly checkpointMinutes?: number;
  readonly checkpointKeep?: number;
  readonly checkpointBest?: (typeof BEST_NAMES)[number];
  readonly resume?: boolean;
  readonly earlyStopping?: number;
  readonly validation?: number;
}

/** Adds them to a command. */
export function addKeepingOptions(command: Command): Command {
  return command
    .option('--checkpoint-every <steps>', 'keep the training every so many steps', wholeNumber(1))
    .option(
      '--checkpoint-minutes <m>',
      'keep it whenever so much time has passed',
      positiveNumber({ below: 1e4 }),
    )
    .option(
      '--checkpoint-keep <n>',
      'the newest checkpoints that stay, at least 2; default: 2',
      wholeNumber(2, 1e6),
    )
    .option(
      '--checkpoint-best <by>',
      `also keep that of the best epoch, by ${BEST_NAMES.join(', ')}; default: valLoss`,
      oneOf(BEST_NAMES),
    )
    .option('--resume', 'go on from the newest checkpoint there, if there is one, and keep the training')
    .option(
      '--early-stopping <epochs>',
      'end after so many epochs without progress, with the weights of the best',
      wholeNumber(1, 1e6),
    )
    .option(
      '--validation <share>',
      `of the training images, to watch in place of the test images; default: ${HELD_OUT} with --early-stopping`,
      positiveNumber({ below: 1 }),
    );
}

/** Checkpoints in this folder, and the end, as `fit` takes them. Throws ERR_ARGUMENT. */
export function keepingOf(
  flags: KeepingFlags,
  dir: string,
): Pick<FitOptions, 'checkpoint' | 'resume' | 'earlyStopping'> {
  const { checkpointEvery, checkpointMinutes, checkpointKeep, checkpointBest, resume } = flags;
  const { earlyStopping: patience } = flags;
  const earlyStopping = patience === undefined ? undefined : { patience };
  if (checkpointEvery === undefined && checkpointMinutes === undefined && resume !== true) {
    const alone = Object.entries({
      '--checkpoint-keep': checkpointKeep,
      '--checkpoint-best': checkpointBest,
    });
    const [op] = alone.find(([, value]) => value !== undefined) ?? [];
    if (op === undefined) return { earlyStopping };
    const expected = 'it only with --checkpoint-every, --checkpoint-minutes or --resume';
    throw fail('ERR_ARGUMENT', { op, expected, received: 'none of them' });
  }
  const checkpoint = {
    ...{ dir, everySteps: checkpointEvery, keep: checkpointKeep },
    everySeconds: checkpointMinutes === undefined ? undefined : 60 * checkpointMinutes,
    best: checkpointBest === 'none' ? (false as const) : (checkpointBest as Measurement | undefined),
  };
  return { checkpoint, resume, earlyStopping };
}

/** The images that a training learns from, those that are watched after each epoch, and what these are called. */
export interface Watched {
  readonly train: AnyDataset;
  readonly validation: AnyDataset;
  readonly name: 'test' | 'validation';
}

/** The test images are watched, unless something is chosen by what is watched. Throws ERR_ARGUMENT where none would be left. */
export function watchedOf(
  flags: KeepingFlags & { readonly seed: number },
  { train, test }: AnySplit,
): Watched {
  const fraction = flags.validation ?? (flags.earlyStopping === undefined ? undefined : HELD_OUT);
  if (fraction === undefined) return { train, validation: test, name: 'test' };
  const options = { fraction, seed: flags.seed };
  const [rest, validation]: readonly AnyDataset[] =
    train instanceof PackedDataset ? stratifiedSplit(train, options) : stratifiedSplit(train, options);
  return { train: rest, validation, name: 'validation' };
}
