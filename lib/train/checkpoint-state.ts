// SPDX-License-Identifier: Apache-2.0
// The whole state of a training: taken between two steps, and put back before the first.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { badValue } from '../autograd/anomaly.js';
import type { DataLoader } from '../data/loader.js';
import { type AnyDataset, PackedDataset } from '../data/packed-dataset.js';
import { describe, fail, ReceptiveError } from '../errors.js';
import type { StoredTensor } from '../io/safetensors.js';
import { checkState } from '../nn/state.js';
import { tensor } from '../tensor/create.js';
import { defaultGenerator } from '../tensor/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Budget } from './budget.js';
import type { FoundCheckpoint } from './checkpoint-folder.js';
import {
  type Best,
  decodeNumbers,
  encodeNumbers,
  type Progress,
  type TrainingNumbers,
} from './checkpoint-shape.js';
import type { EarlyStopping } from './early-stopping.js';
import type { Rates } from './schedules.js';
import type { Learner } from './train-step.js';

/** What has a state in a training. */
export interface StatefulParts {
  readonly learner: Learner;
  readonly loader: DataLoader;
  readonly rates: Rates;
  readonly stopping: EarlyStopping | undefined;
  readonly budget: Budget | undefined;
  /** The data set in words: `fingerprint`. */
  readonly data: string;
  /** The options of the training in words. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What a checkpoint holds, in memory of its own. */
export interface TrainingState {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Longest time in ms for which copying holds the event loop, as far as whole tensors allow. */
const SLICE = 10;
const [MODEL, OPTIMIZER, EMA, BEST] = ['model.', 'optimizer.', 'ema.', 'best.'];
const LOOKAHEAD = 'lookahead.';

/**
 * Takes the state of now; no step may run meanwhile, while the event loop turns.
 *
 * Throws ERR_NUMERICS where a tensor of it is not finite.
 */
export async function takeState(
  parts: StatefulParts,
  progress: Progress,
  { finished, best }: { finished: boolean; best: Best | null },
): Promise<TrainingState> {
  const { learner, loader, rates, stopping } = parts;
  const optimizer = learner.optimizer.stateDict();
  const { epoch, history } = progress;
  const position =
    epoch === null ? { epoch: history.length, batch: 0 } : { epoch: epoch.epoch - 1, batch: epoch.batch };
  const numbers: TrainingNumbers = {
    progress,
    finished,
    best,
    loader: { ...loader.stateDict(), ...position },
    generator: defaultGenerator().state,
    optimizer: { name: learner.optimizer.constructor.name, numbers: [...optimizer.numbers] },
    rates: rates.state === undefined ? null : [...rates.state.stateDict().numbers],
    ema: learner.ema === undefined ? null : [...learner.ema.stateDict().numbers],
    ...(learner.lookahead && { lookahead: [...learner.lookahead.stateDict().numbers] }),
    stopping: stopping?.state ?? null,
    budget: parts.budget?.state ?? null,
    data: parts.data,
    settings: parts.settings,
  };
  const metadata = encodeNumbers(numbers);
  const tensors = new Map<string, StoredTensor>();
  let end = performance.now() + SLICE;
  for (const [name, own] of tensorsOf(parts)) {
    const bad = badValue(own);
    if (bad !== undefined) throw notFinite(name, String(bad.value));
    tensors.set(name, { shape: own.shape, data: own.data() });
    if (performance.now() < end) continue;
    await setImmediate();
    end = performance.now() + SLICE;
  }
  return { tensors, metadata };
}

function* tensorsOf({ learner, stopping }: StatefulParts): Iterable<[string, Tensor]> {
  const { model, optimizer, ema, lookahead } = learner;
  for (const [name, own] of model.stateDict()) yield [MODEL + name, own];
  for (const [name, own] of optimizer.stateDict().tensors) yield [OPTIMIZER + name, own];
  for (const [name, own] of ema?.stateDict().tensors ?? []) yield [EMA + name, own];
  for (const [name, own] of lookahead?.stateDict().tensors ?? []) yield [LOOKAHEAD + name, own];
  for (const [name, own] of stopping?.tensors ?? []) yield [BEST + name, own];
}

function notFinite(name: string, value: string) {
  return fail('ERR_NUMERICS', {
    op: 'checkpoint',
    expected: 'finite weights',
    received: `${value} in ${name}`,
    hint: 'it was not written; those before it stay',
  });
}

/**
 * Puts a state back, and takes it out of `file` by that. Everything is checked before anything is changed.
 *
 * @returns how far the training was
 *
 * Throws ERR_DATA, naming the file, for the state of another training.
 */
export function restoreState(parts: StatefulParts, { path, file }: FoundCheckpoint): TrainingNumbers {
  const numbers = decodeNumbers(file.metadata, path);
  const { learner, loader, rates, stopping } = parts;
  const { model, optimizer, ema, lookahead } = learner;
  const generator = defaultGenerator();
  const draws = generator.state;
  const made: Tensor[] = [];
  const under = (prefix: string) => {
    const named = new Map<string, Tensor>();
    for (const [name, { shape, data }] of file.tensors) {
      if (!name.startsWith(prefix)) continue;
      made.push(tensor(data, shape).keep());
      file.tensors.delete(name); // its array can go while those of the others are still needed
      named.set(name.slice(prefix.length), made[made.length - 1]);
    }
    return named;
  };
  try {
    checkSame(path, 'the data', parts.data, numbers.data);
    checkSame(path, 'the optimizer', optimizer.constructor.name, numbers.optimizer.name);
    checkSame(path, 'averages of weights (ema)', ema ? 'some' : 'none', numbers.ema ? 'some' : 'none');
    checkSame(path, 'lookahead', lookahead ? 'some' : 'none', numbers.lookahead ? 'some' : 'none');
    checkSame(path, 'a schedule with a state', rates.state ? 'one' : 'none', numbers.rates ? 'one' : 'none');
    checkSame(path, 'early stopping', stopping ? 'some' : 'none', numbers.stopping ? 'some' : 'none');
    const state = under(MODEL);
    const best = under(BEST);
    const slow = { tensors: under(LOOKAHEAD), numbers: new Map(numbers.lookahead) };
    const averages = { tensors: under(EMA), numbers: new Map(numbers.ema) };
    const kept = { tensors: under(OPTIMIZER), numbers: new Map(numbers.optimizer.numbers) };
    checkState(model.stateDict(), state, true);
    if (ema !== undefined) checkState(new Map(ema.stateDict().tensors), averages.tensors, true);
    if (lookahead !== undefined) checkState(new Map(lookahead.stateDict().tensors), slow.tensors, true);
    if (best.size > 0) checkState(model.stateDict(), best, true);
    if (numbers.stopping !== null && stopping?.lacksWeights(numbers.stopping, best)) throw noBest(path);
    loader.loadStateDict(numbers.loader);
    generator.state = numbers.generator;
    rates.state?.loadStateDict({ tensors: new Map(), numbers: new Map(numbers.rates) });
    optimizer.loadStateDict(kept);
    ema?.loadStateDict(averages);
    lookahead?.loadStateDict(slow);
    if (numbers.budget !== null) parts.budget?.load(numbers.budget);
    if (numbers.stopping !== null) stopping?.load(numbers.stopping, best);
    model.loadStateDict(state);
    return numbers;
  } catch (error) {
    generator.state = draws;
    if (!(error instanceof ReceptiveError) || error.op.includes(path)) throw error;
    const code = error.code === 'ERR_ARGUMENT' || error.code === 'ERR_SHAPE' ? 'ERR_DATA' : error.code;
    const { expected, received } = error;
    throw fail(code, { op: `checkpoint ${path}`, expected, received, hint: ANOTHER, cause: error });
  } finally {
    for (const tensor of made) tensor.dispose();
  }
}

const ANOTHER = 'is it a checkpoint of this training? Another one needs another folder';

function checkSame(path: string, what: string, own: string, saved: string): void {
  if (own === saved) return;
  throw fail('ERR_DATA', {
    op: `checkpoint ${path}`,
    expected: `${what} of this training, ${own}`,
    received: describe(saved),
    hint: ANOTHER,
  });
}

function noBest(path: string) {
  return fail('ERR_DATA', {
    op: `checkpoint ${path}`,
    expected: 'weights of the best epoch, for earlyStopping to restore',
    received: 'none: the training began with restoreBest: false',
    hint: 'go on with restoreBest: false',
  });
}

/** In words, how the options differ from those that the training began with. */
export function changedSettings(
  own: TrainingNumbers['settings'],
  saved: TrainingNumbers['settings'],
): string[] {
  const names = new Set([...Object.keys(own), ...Object.keys(saved)]);
  return [...names]
    .filter((name) => own[name] !== saved[name])
    .map((name) => `${name} ${own[name] ?? 'not given'}, was ${saved[name] ?? 'not given'}`);
}

/** Images that are looked at to tell data sets apart. */
const SAMPLES = 64;

/** A data set in words: its name, its size, and a hash of labels and of some images. */
export function fingerprint(dataset: AnyDataset): string {
  const { name, length, imageShape, labels } = dataset;
  const hash = createHash('sha256').update(labels);
  const size = imageShape.reduce((product, side) => product * side, 1);
  const stride = Math.max(1, Math.floor(length / SAMPLES));
  const imageAt = (i: number) =>
    dataset instanceof PackedDataset ? dataset.imageAt(i) : dataset.images.subarray(i * size, (i + 1) * size);
  for (let i = 0; i < length; i += stride) hash.update(imageAt(i));
  return `${name}, ${length} of [${imageShape.join(', ')}], ${hash.digest('hex').slice(0, 16)}`;
}
