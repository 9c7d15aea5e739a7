// SPDX-License-Identifier: Apache-2.0
// The commands and their options, and what becomes of an error: one line on standard error and an exit status, 2 for
// what the caller asked wrongly, 1 for what went wrong.
import { Command, CommanderError } from 'commander';
import { AUGMENT_FORMS } from '../data/augment-text.js';
import { datasetNames } from '../data/registry.js';
import { ReceptiveError } from '../errors.js';
import { modelNames } from '../models/registry.js';
import { version } from '../native/version.js';
import { STRATEGY_NAMES } from '../search/search.js';
import { LOGIT_LOSSES } from '../train/losses.js';
import { OPTIMIZER_NAMES } from '../train/optimizers.js';
import { SCHEDULE_NAMES } from '../train/schedules.js';
import { TTA_NAMES } from '../train/tta.js';
import { packCommand, previewCommand } from './data.js';
import { evalCommand } from './eval.js';
import { oneLine } from './format.js';
import { INVERT_NAMES } from './image.js';
import { addImageOptions } from './images.js';
import { infoCommand } from './info.js';
import { addKeepingOptions } from './keeping.js';
import {
  anyWholeNumber,
  augmentSteps,
  dataName,
  metricNames,
  oneOf,
  PRIORITIES,
  positiveNumber,
  share,
  wholeNumber,
} from './options.js';
import { predictCommand } from './predict.js';
import { profileCommand, SORT_NAMES } from './profile.js';
import { addRecipeOptions, withRecipe } from './recipe.js';
import { searchCommand } from './search.js';
import { summaryCommand } from './summary.js';
import { trainCommand } from './train.js';
import { addTransferOptions, withModelOf } from './transfer.js';
import { addTrialOptions, isTried, trialCommand } from './trials.js';

/**
 * Runs one command line.
 *
 * @param args without the program's own name
 * @returns the exit status: 0, 1 for a failure, 2 for bad usage, 130 or 143 after a signal
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0); // the reader has seen enough
    throw error;
  });
  let status = 0;
  const program = build((code) => {
    status = code ?? 0;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    return report(error);
  }
}

/** Says what went wrong and returns the exit status. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // it has said so itself
  const message = error instanceof Error ? error.message : String(error);
  const isExpected = error instanceof ReceptiveError;
  const prefix = isExpected ? '' : 'unexpected error: ';
  process.stderr.write(`receptive: ${prefix}${oneLine(message)}\n`);
  if (process.env.RECEPTIVE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return isExpected && error.code === 'ERR_ARGUMENT' ? 2 : 1;
}

function build(done: (code: number | undefined) => void): Command {
  const program = new Command('receptive')
    .description('Train and run convolutional neural networks on native SIMD kernels.')
    .version(version)
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(`receptive: ${suggestion(text)}\n`),
    });
  const models = modelNames.join(', ');
  const dataSets = `${oneOfText(datasetNames)}; also folder:PATH and packed:FILE`;

  const train = program
    .command('train')
    .description('train a model, save it and draw its learning curves')
    .option('--model <name>', `one of ${models}; default: the one that suits the data`, oneOf(modelNames))
    .option('--data <name>', dataSets, dataName, 'glyphs');
  addFiles(train)
    .option('--train-size <n>', 'use so many training images', wholeNumber(1))
    .option('--augment <steps>', AUGMENT_HELP, augmentSteps)
    .option('--epochs <n>', 'passes over the training images', wholeNumber(1, 1e6), 3)
    .option(
      '--minutes <m>',
      'train for so long, in place of --epochs; the schedule ends with the time',
      positiveNumber(),
    )
    .option('--batch-size <n>', 'images a step', wholeNumber(1, 1e6), 64)
    .option('--micro-batches <n>', 'compute each step in so many parts, to save memory', wholeNumber(1, 1e6))
    .option('--loss <name>', `${oneOfText(LOGIT_LOSSES)}; default: crossEntropy`, oneOf(LOGIT_LOSSES))
    .option('--optimizer <name>', oneOfText(OPTIMIZER_NAMES), oneOf(OPTIMIZER_NAMES), 'adamw')
    .option(
      '--lr <rate>',
      'learning rate; default: 0.01 for sgd and adagrad, 0.0001 for lion, else 0.001',
      positiveNumber(),
    )
    .option(
      '--momentum <m>',
      'of sgd, default 0.9, and rmsprop, default 0',
      positiveNumber({ zero: true, below: 1 }),
    )
    .option('--weight-decay <d>', 'default: 0.01 for adamw, else 0', positiveNumber({ zero: true }))
    .option(
      '--schedule <name>',
      `learning rate over all steps: ${SCHEDULE_NAMES.join(', ')}`,
      oneOf(SCHEDULE_NAMES),
      'cosine',
    )
    .option('--warmup <steps>', 'let the learning rate rise first', wholeNumber(0))
    .option('--clip-norm <n>', 'scale gradients down to this norm', positiveNumber())
    .option('--clip-value <v>', 'keep each gradient within plus and minus this', positiveNumber())
    .option(
      '--ema <decay>',
      'average the weights, such as 0.999, and use the averages',
      positiveNumber({ zero: true, below: 1 }),
    )
    .option('--seed <n>', 'of the weights, the order of images and drawn data', anyWholeNumber, 1)
    .option('--out <folder>', 'where the results go; default: runs/<model>-<data>');
  addTrialOptions(addKeepingOptions(addTransferOptions(addTta(addRecipeOptions(train)))));
  addCommon(addThreads(train)).action(async (given, command) => {
    const options = await withModelOf(withRecipe(given, command));
    done(await (isTried(options) ? trialCommand(options) : trainCommand(options)));
  });

  const search = program
    .command('search')
    .argument('<space>', 'path of a search space, as JSON')
    .description('try the networks and trainings of a space, and say which is best and what mattered')
    .option('--data <name>', dataSets, oneOf(datasetNames), 'glyphs');
  addFiles(search)
    .option('--train-size <n>', 'use so many training images', wholeNumber(1))
    .option(
      '--validation <share>',
      'of the training images, to judge trials by',
      positiveNumber({ below: 1 }),
      0.1,
    )
    .option('--strategy <name>', oneOfText(STRATEGY_NAMES), oneOf(STRATEGY_NAMES), 'random')
    .option('--trials <n>', 'how many; default: 20, with halving 27, with grid all', wholeNumber(1, 10_000))
    .option('--epochs <n>', 'of each training; default: 3, with halving up to 9', wholeNumber(1, 1e6))
    .option('--seed <n>', 'of the trials, the weights, the order of images and drawn data', anyWholeNumber, 1)
    .option('--threads <n>', 'trials at a time; default: what this process may use', wholeNumber(1, 256))
    .option('--resume', 'go on with the search in the folder, or begin where there is none')
    .option('--out <folder>', 'where the results go; default: runs/search-<data>');
  addCommon(search).action(async (space, options) => done(await searchCommand(space, options)));

  const evaluate = program
    .command('eval')
    .argument('<model>', 'path of a saved model')
    .description('measure a saved model on test images')
    .option('--data <name>', `${dataSets}; default: what it was trained on`, dataName);
  addFiles(evaluate)
    .option('--batch-size <n>', 'images at a time', wholeNumber(1, 1e6), 256)
    .option('--metrics <names>', 'more of them, such as top5,f1,recallPerClass,calibrationError', metricNames)
    .option('--seed <n>', 'of drawn data; default: what it was trained with', anyWholeNumber);
  addCommon(addThreads(addTta(evaluate))).action(async (model, options) =>
    done(await evalCommand(model, options)),
  );

  const predict = program
    .command('predict')
    .argument('<model>', 'path of a saved model')
    .argument('<image...>', 'PNG or JPEG files')
    .description('say what is on images')
    .option('--invert <when>', 'swap dark and light: auto, always or never', oneOf(INVERT_NAMES), 'auto');
  addCommon(addThreads(addTta(predict))).action(async (model, images, options) =>
    done(await predictCommand(model, images, options)),
  );

  const summary = program
    .command('summary')
    .argument('<model>', `path of a saved model, or one of ${models}`)
    .description('list the layers of a model');
  addCommon(summary).action(async (model, options) => done(await summaryCommand(model, options)));

  const profile = program
    .command('profile')
    .description('show where the time of a training step goes, beside what the machine could do')
    .requiredOption('--model <name>', `path of a saved model, or one of ${models}`)
    .option('--batch-size <n>', 'images a step', wholeNumber(1, 1e6), 32)
    .option('--sort <by>', 'order of the rows: order, as they run, or time', oneOf(SORT_NAMES), 'order');
  addCommon(addThreads(profile)).action(async (options) => done(await profileCommand(options)));

  const data = program.command('data').description('prepare data sets');
  const pack = data
    .command('pack')
    .argument('<source>', 'a folder with one folder a class, or a .tar or .tar.gz of one')
    .argument('<file>', 'the file to write, such as flowers.pack')
    .description('pack pictures into one file that is read at once')
    .option('--name <name>', "the data set's name; default: the source's");
  addCommon(addImageOptions(pack)).action(async (source, file, options) =>
    done(await packCommand(source, file, options)),
  );

  const preview = data
    .command('preview')
    .argument('<file>', 'the PNG file to write')
    .description('show training images as one picture, as they are and as augmentation makes them')
    .option('--data <name>', dataSets, dataName, 'glyphs')
    .option('--data-dir <folder>', 'where the files of the data set lie')
    .option('--augment <steps>', AUGMENT_HELP, augmentSteps)
    .option('--images <n>', 'how many: a row for each', wholeNumber(1, 100), 8)
    .option('--epochs <n>', 'how many times each: a column for each', wholeNumber(1, 100), 9)
    .option('--seed <n>', 'of the random changes, and of drawn data', anyWholeNumber, 1);
  addCommon(addImageOptions(preview)).action(async (file, options) =>
    done(await previewCommand(file, options)),
  );

  const info = program.command('info').description('show versions, instruction set and threads');
  addCommon(info).action(async (options) => done(await infoCommand(options)));
  return program;
}

const AUGMENT_HELP = `change training images at random: steps such as ${AUGMENT_FORMS.join(', ')}`;

const oneOfText = (names: readonly string[]) => `one of ${names.join(', ')}`;

function addFiles(command: Command): Command {
  return addImageOptions(command)
    .option(
      '--data-dir <folder>',
      'where the files of the data set lie; default: the cache, else they are downloaded',
    )
    .option('--test-size <n>', 'use so many test images', wholeNumber(1));
}

function addTta(command: Command): Command {
  const help = `look at each image in several ways, and average: ${TTA_NAMES.join(', ')}`;
  return command.option('--tta <name>', help, oneOf(TTA_NAMES));
}

function addThreads(command: Command): Command {
  return command
    .option('--threads <n>', 'default: what this process may use', wholeNumber(1, 256))
    .option('--priority <name>', 'normal, or background: give way to everything else', oneOf(PRIORITIES))
    .option('--cpu-share <share>', "of the threads' time, above 0 and up to 1", share);
}

function addCommon(command: Command): Command {
  return command
    .option('--quiet', 'print the result only')
    .option('--json', 'print one JSON object as the last line of standard output');
}

/** Commander puts its suggestions on a second line and begins with "error:". */
function suggestion(text: string): string {
  return oneLine(text.trim().replace(/^error: /, ''));
}
