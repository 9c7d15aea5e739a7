// SPDX-License-Identifier: Apache-2.0
// What a training is besides its tensors, as JSON in the metadata of a checkpoint. A checkpoint may come from anywhere: whatever
// its checksum says, each value is looked at before it is used.
import type { LoaderStateDict } from '../data/loader.js';
import { fail } from '../errors.js';
import { quote } from '../io/header-json.js';
import type { GeneratorState } from '../tensor/random.js';
import type { BudgetState } from './budget.js';
import type { StoppingState } from './early-stopping.js';
import type { EpochState } from './epoch-progress.js';
import type { CurvePoint, HistoryRow } from './progress.js';

/** How far a training was, and what it had found. */
export interface Progress {
  /** Steps done. */
  readonly step: number;
  /** Images that they took. */
  readonly images: number;
  /** Time of the steps. */
  readonly seconds: number;
  readonly history: readonly HistoryRow[];
  readonly curve: readonly CurvePoint[];
  /** The epoch under way; null between two of them. */
  readonly epoch: EpochState | null;
}

/** Numbers by name, as optimizers and schedules give them. */
export type Numbers = readonly (readonly [name: string, value: number])[];

/** The best epoch so far. */
export interface Best {
  readonly step: number;
  readonly value: number;
}

/** All of a training but its tensors. */
export interface TrainingNumbers {
  readonly progress: Progress;
  readonly finished: boolean;
  readonly best: Best | null;
  readonly loader: LoaderStateDict;
  readonly generator: GeneratorState;
  readonly optimizer: { readonly name: string; readonly numbers: Numbers };
  /** Of the schedule, where it has a state. */
  readonly rates: Numbers | null;
  readonly ema: Numbers | null;
  /** Left out where there is none. */
  readonly lookahead?: Numbers;
  readonly stopping: StoppingState | null;
  readonly budget: BudgetState | null;
  /** What the training is of: other data is other training. */
  readonly data: string;
  /** The options that were chosen, in words. */
  readonly settings: Readonly<Record<string, string>>;
}

const FORMAT = 'receptive-checkpoint';
const VERSION = 1;

/** What stands in the metadata. */
export function encodeNumbers(numbers: TrainingNumbers): Map<string, string> {
  return new Map([
    ['format', FORMAT],
    ['version', String(VERSION)],
    ['training', JSON.stringify(numbers, (_, value: unknown) => (isOdd(value) ? `@${value}` : value))],
  ]);
}

/** What the metadata of a checkpoint says. Throws ERR_DATA for what is no checkpoint, or one of a newer version. */
export function decodeNumbers(metadata: ReadonlyMap<string, string>, path: string): TrainingNumbers {
  const refuse = (expected: string, received: string, hint?: string) =>
    fail('ERR_DATA', { op: `checkpoint ${path}`, expected, received, hint });
  const [format, version] = [metadata.get('format'), metadata.get('version')];
  if (format !== FORMAT) throw refuse(`format ${FORMAT}`, format === undefined ? 'none' : quote(format));
  if (version !== String(VERSION)) {
    const hint = 'it was written by another version of the library: go on with that one';
    throw refuse(`version ${VERSION}`, version === undefined ? 'none' : quote(version), hint);
  }
  let value: unknown;
  try {
    value = JSON.parse(metadata.get('training') ?? '', (_, item: unknown) =>
      typeof item === 'string' && ODD.has(item) ? Number(item.slice(1)) : item,
    );
  } catch (cause) {
    throw fail('ERR_DATA', {
      op: `checkpoint ${path}`,
      expected: 'its training as JSON',
      received: 'other text',
      cause,
    });
  }
  const wrong = differenceTo(TRAINING, value, 'training');
  if (wrong !== undefined) throw refuse(wrong, 'something else', 'the file is not what it says');
  return value as TrainingNumbers;
}

/** Numbers that JSON does not have. */
const ODD = new Set(['@NaN', '@Infinity', '@-Infinity']);
const isOdd = (value: unknown) => typeof value === 'number' && !Number.isFinite(value);

/** 'number' and the like; 'whole' is a whole number, 'count' one of at least 0. */
type Kind = 'number' | 'whole' | 'count' | 'string' | 'boolean';
interface Members {
  readonly [name: string]: Form;
}
type Form =
  | Kind
  | { readonly each: Form }
  | { readonly orNull: Form }
  | { readonly optional: Form }
  | { readonly of: Members }
  | { readonly pair: readonly [Kind, Kind] };

const NUMBERS: Form = { each: { pair: ['string', 'number'] } };
const MEANS: Form = { of: { loss: 'number', correct: 'count', images: 'count' } };
const TRAINING: Form = {
  of: {
    progress: {
      of: {
        step: 'count',
        images: 'count',
        seconds: 'number',
        history: {
          each: {
            of: {
              ...{ epoch: 'count', loss: 'number', accuracy: 'number' },
              ...{ lr: 'number', seconds: 'number', imagesPerSecond: 'number' },
            },
          },
        },
        curve: { each: { of: { epoch: 'number', loss: 'number', accuracy: 'number' } } },
        epoch: {
          orNull: {
            of: { epoch: 'count', batch: 'count', seconds: 'number', mean: MEANS, sinceCurvePoint: MEANS },
          },
        },
      },
    },
    finished: 'boolean',
    best: { orNull: { of: { step: 'count', value: 'number' } } },
    loader: {
      of: {
        ...{ epoch: 'count', batch: 'count', seed: 'whole', shuffle: 'boolean' },
        ...{ batchSize: 'count', dropLast: 'boolean', images: 'count' },
      },
    },
    generator: { of: { seed: 'whole', stream: 'count', step: 'count' } },
    optimizer: { of: { name: 'string', numbers: NUMBERS } },
    rates: { orNull: NUMBERS },
    ema: { orNull: NUMBERS },
    lookahead: { optional: NUMBERS },
    stopping: { orNull: { of: { epoch: 'count', value: 'number', waited: 'count' } } },
    budget: { orNull: { of: { seconds: 'number', step: 'count', share: 'number', total: 'number' } } },
    data: 'string',
    settings: { of: {} },
  },
};

function isKind(kind: Kind, value: unknown): boolean {
  if (kind === 'count') return Number.isSafeInteger(value) && (value as number) >= 0;
  return kind === 'whole' ? Number.isSafeInteger(value) : typeof value === kind;
}

/** What a value should have been, where it does not have the form; an object may have more members. */
function differenceTo(form: Form, value: unknown, at: string): string | undefined {
  if (typeof form === 'string') {
    return isKind(form, value) ? undefined : `${at} to be a ${form}`;
  }
  if ('orNull' in form) return value === null ? undefined : differenceTo(form.orNull, value, at);
  if ('optional' in form) return value === undefined ? undefined : differenceTo(form.optional, value, at);
  if ('of' in form) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${at} to be an object`;
    const members = Object.entries(form.of);
    return first(members, ([name, member]) =>
      differenceTo(
        member,
        Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined,
        `${at}.${name}`,
      ),
    );
  }
  if (!Array.isArray(value)) return `${at} to be a list`;
  const items: unknown[] = value;
  if ('each' in form) return first(items, (item, i) => differenceTo(form.each, item, `${at}[${i}]`));
  if (items.length !== form.pair.length) return `${at} to be a pair`;
  return first(form.pair, (kind, i) => differenceTo(kind, items[i], `${at}[${i}]`));
}

function first<Item>(
  items: readonly Item[],
  difference: (item: Item, index: number) => string | undefined,
): string | undefined {
  for (const [i, item] of items.entries()) {
    const found = difference(item, i);
    if (found !== undefined) return found;
  }
  return undefined;
}
