// SPDX-License-Identifier: Apache-2.0
// One choice of a search space: how it is written, checked, drawn at random and divided for a grid.
import { describe, didYouMean, fail } from '../errors.js';
import type { RandomStream } from '../tensor/philox.js';

/** What a choice can come out as. */
export type Value = number | string | boolean;

/** Numbers between two ends. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** Drawn evenly in the logarithm, as learning rates should be. Default false. */
  readonly log?: boolean;
  /** How many of them a grid takes, ends included: at least 2. Default 3. */
  readonly points?: number;
}

/** A value, a list of them, or a range of numbers. */
export type Choice<T extends Value = Value> = T | readonly T[] | NumberRange;

/** What a setting may be. */
export interface Rule {
  readonly expected: string;
  readonly holds: (value: unknown) => boolean;
  /** Numbers of which kind a range gives; none where a range makes no sense. */
  readonly numbers?: 'whole' | 'real' | undefined;
  /** The names there are, for hints. */
  readonly names?: readonly string[];
}

const LARGEST = 1_000_000;
const MOST_VALUES = 1000;
const DEFAULT_POINTS = 3;

/** Whole numbers from `low` to `high`. */
export const whole = (low: number, high = LARGEST): Rule => ({
  expected: `a whole number from ${low} to ${high}`,
  holds: (value) => Number.isSafeInteger(value) && (value as number) >= low && (value as number) <= high,
  numbers: 'whole',
});

/** Finite numbers of at least 0, or above it, and below a limit. */
export const real = ({ zero = true, below = Infinity } = {}): Rule => ({
  expected: `a number ${zero ? 'of at least' : 'above'} 0${below === Infinity ? '' : ` and below ${below}`}`,
  holds: (value) =>
    typeof value === 'number' && Number.isFinite(value) && (zero ? value >= 0 : value > 0) && value < below,
  numbers: 'real',
});

/** One of some names. */
export const named = (names: readonly string[]): Rule => ({
  expected: `one of ${names.join(', ')}`,
  holds: (value) => typeof value === 'string' && names.includes(value),
  names,
});

export const truth: Rule = { expected: 'true or false', holds: (value) => typeof value === 'boolean' };

/** Where in a space something stands, so that what is refused can be found: `layers[2].conv.size`. */
export class Place {
  readonly op: string;
  readonly path: string;

  constructor(op: string, path = '') {
    this.op = op;
    this.path = path;
  }

  /** A key of the object here, or a position in the array. */
  at(key: string | number): Place {
    if (typeof key === 'number') return new Place(this.op, `${this.path}[${key}]`);
    return new Place(this.op, this.path === '' ? key : `${this.path}.${key}`);
  }

  refuse(expected: string, received: unknown, hint?: string) {
    const where = this.path === '' ? 'the space' : this.path;
    return fail('ERR_ARGUMENT', {
      op: this.op,
      expected: `${where} to be ${expected}`,
      received: describe(received),
      hint,
    });
  }

  /** The object that stands here, with none but the keys that are known. */
  object(json: unknown, known: readonly string[], what: string): Readonly<Record<string, unknown>> {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) throw this.refuse(what, json);
    const unknown = Object.keys(json).find((key) => !known.includes(key));
    if (unknown === undefined) return json as Record<string, unknown>;
    const keys = known.length === 0 ? 'no keys' : `the keys ${known.join(', ')} only`;
    throw this.refuse(`${what} with ${keys}`, unknown, didYouMean(unknown, known));
  }
}

/** A checked choice that is open: values to choose from, or a range. Its name is what tables and pictures call it. */
export interface Dimension {
  readonly name: string;
  readonly values?: readonly Value[];
  readonly range?: Required<NumberRange> & { readonly whole: boolean };
}

/** A choice as it is used: what is settled, or what has to be chosen. */
export type Setting = Value | Dimension;

export const isOpen = (setting: Setting): setting is Dimension => typeof setting === 'object';

/** Reads a choice; a list of one value is settled. Throws ERR_ARGUMENT, which names the place. */
export function readChoice(place: Place, name: string, json: unknown, rule: Rule): Setting {
  if (Array.isArray(json)) return readList(place, name, json, rule);
  if (typeof json === 'object' && json !== null) return readRange(place, name, json, rule);
  checkValue(place, json, rule);
  return json as Value;
}

function checkValue(place: Place, value: unknown, { expected, holds, numbers, names }: Rule): void {
  if (holds(value)) return;
  const range = numbers === undefined ? '' : ', or { "min", "max" }';
  const hint = names && typeof value === 'string' ? didYouMean(value, names) : undefined;
  throw place.refuse(`${expected}, a list of such${range}`, value, hint);
}

function readList(place: Place, name: string, list: readonly unknown[], rule: Rule): Setting {
  if (list.length === 0 || list.length > MOST_VALUES) {
    throw place.refuse(`a list of 1 to ${MOST_VALUES} values`, list.length === 0 ? list : list.length);
  }
  list.forEach((value, i) => {
    if (Array.isArray(value)) throw place.at(i).refuse(rule.expected, value);
    checkValue(place.at(i), value, rule);
    if (list.indexOf(value) !== i) throw place.at(i).refuse('a value that is not in the list already', value);
  });
  const values = list as readonly Value[];
  return values.length === 1 ? values[0] : { name, values };
}

function readRange(place: Place, name: string, json: object, rule: Rule): Setting {
  if (rule.numbers === undefined) throw place.refuse(`${rule.expected}, or a list of such`, json);
  const parts = place.object(json, ['min', 'max', 'log', 'points'], 'a range');
  const { min, max, log = false, points = DEFAULT_POINTS } = parts as unknown as Required<NumberRange>;
  const end = { ...rule, numbers: undefined };
  checkValue(place.at('min'), min, end);
  checkValue(place.at('max'), max, end);
  if (min >= max) throw place.at('max').refuse(`above min, ${min}`, max);
  if (!truth.holds(log)) throw place.at('log').refuse(truth.expected, log);
  if (log && min <= 0) throw place.at('min').refuse('above 0 where log is true', min);
  const count = whole(2, MOST_VALUES);
  if (!count.holds(points)) throw place.at('points').refuse(count.expected, points);
  return { name, range: { min, max, log, points, whole: rule.numbers === 'whole' } };
}

/** Digits that a drawn number keeps: enough to search with, few enough to be read and written down. */
const DIGITS = 4;

/** The number at a share of the way through a range. */
function numberAt({ min, max, log, whole: isWhole }: Required<Dimension>['range'], share: number): number {
  const value = log ? min * (max / min) ** share : min + (max - min) * share;
  const short = isWhole ? Math.round(value) : Number(value.toPrecision(DIGITS));
  return Math.min(max, Math.max(min, short));
}

/** A value at random, each of a list as likely as the others. */
export function drawValue({ values, range }: Dimension, random: RandomStream): Value {
  if (values !== undefined) return values[random.int(values.length)];
  const { min, max, log, whole: isWhole } = range as Required<Dimension>['range'];
  if (isWhole && !log) return min + random.int(max - min + 1);
  return numberAt(range as Required<Dimension>['range'], random.uniform());
}

/** The values that a grid takes. */
export function gridValues({ values, range }: Dimension): readonly Value[] {
  if (values !== undefined) return values;
  const known = range as Required<Dimension>['range'];
  const all = Array.from({ length: known.points }, (_, i) => numberAt(known, i / (known.points - 1)));
  return [...new Set(all)];
}

/** What stands for a choice where nothing is said: the first of a list, the lower end of a range. */
export const firstValue = ({ values, range }: Dimension): Value => values?.[0] ?? (range?.min as number);

/** Whether a value is one that the choice can come out as. */
export function isAllowed({ values, range }: Dimension, value: unknown): boolean {
  if (values !== undefined) return values.includes(value as Value);
  const { min, max, whole: isWhole } = range as Required<Dimension>['range'];
  if (typeof value !== 'number' || !(value >= min && value <= max)) return false;
  return !isWhole || Number.isInteger(value);
}

/** In words, for a refusal. */
export function optionsText({ values, range }: Dimension): string {
  if (values !== undefined) return `one of ${values.join(', ')}`;
  return `a ${range?.whole ? 'whole ' : ''}number from ${range?.min} to ${range?.max}`;
}
