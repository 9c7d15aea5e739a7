// SPDX-License-Identifier: Apache-2.0
// Values of options: each is checked as it is read, and a wrong one ends the command with status 2.
import { basename, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Augmentation } from '../data/augment.js';
import { parseAugment } from '../data/augment-text.js';
import { datasetNames, drawnNames, splitName } from '../data/registry.js';
import { didYouMean, fail, ReceptiveError } from '../errors.js';
import { type MetricName, metricsNamed } from '../metrics/names.js';

/** Reads a whole number in a range. */
export function wholeNumber(low: number, high = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== '' && Number.isSafeInteger(value) && value >= low && value <= high) return value;
    const range = high === Number.MAX_SAFE_INTEGER ? `of at least ${low}` : `from ${low} to ${high}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

/** Reads any safe integer. */
export const anyWholeNumber = (text: string): number => {
  const value = Number(text);
  if (text.trim() !== '' && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It must be a whole number.');
};

/** Reads a finite number above 0, or from 0 where `zero` is allowed. */
export function positiveNumber({ zero = false, below = Infinity } = {}): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const isInRange = zero ? value >= 0 : value > 0;
    if (text.trim() !== '' && Number.isFinite(value) && isInRange && value < below) return value;
    const limit = below === Infinity ? '' : ` and below ${below}`;
    throw new InvalidArgumentError(`It must be a number ${zero ? 'of at least' : 'above'} 0${limit}.`);
  };
}

/** Reads one of some names, and knows which was meant. */
export function oneOf<Name extends string>(names: readonly Name[]): (text: string) => Name {
  return (text) => {
    const name = names.find((known) => known === text);
    if (name !== undefined) return name;
    const hint = didYouMean(text, names);
    throw new InvalidArgumentError(
      `It must be one of ${names.join(', ')}${hint === undefined ? '' : ` (${hint})`}.`,
    );
  };
}

/** Reads names of metrics, with commas between them. How large a top may be, only the model can tell. */
export const metricNames = (text: string): MetricName[] => {
  const names = text.split(',').map((name) => name.trim());
  try {
    metricsNamed('--metrics', names, Infinity);
  } catch (error) {
    if (!(error instanceof ReceptiveError)) throw error;
    const hint = error.hint === undefined ? '' : ` (${error.hint})`;
    throw new InvalidArgumentError(`It must be ${error.expected}, with commas between them${hint}.`);
  }
  return names as MetricName[];
};

/** Who goes first: `priority` of the library. */
export const PRIORITIES = ['normal', 'background'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Reads a share of the time, above 0 and up to 1. */
export const share = (text: string): number => {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError('It must be a number above 0 and up to 1.');
};

/** Reads augmentations: `flip,crop=4:reflect,cutout=8`. */
export const augmentSteps = (text: string): readonly Augmentation[] => {
  try {
    return parseAugment(text);
  } catch (error) {
    if (!(error instanceof ReceptiveError)) throw error;
    const hint = error.hint === undefined ? '' : ` (${error.hint})`;
    throw new InvalidArgumentError(`It must have ${error.expected}, not ${error.received}${hint}.`);
  }
};

/** Reads the name of a data set; `folder:PATH` and `packed:FILE` have a path. */
export const dataName = (text: string): string => {
  oneOf(datasetNames)(splitName(text).name);
  return text;
};

/** Reads a size: `32x32`, height first, or `32` for a square. */
export const imageSize = (text: string): readonly [height: number, width: number] => {
  const [height, width = height, ...more] = text.split('x').map(Number);
  const fits = more.length === 0 && [height, width].every((side) => Number.isInteger(side) && side > 0);
  if (fits && text.trim() === text && text !== '') return [height, width];
  throw new InvalidArgumentError('It must be a height and a width, such as 32x32.');
};

/** Refuses a folder for a data set that is drawn: the files in it would not be looked at. */
export function checkDataDir(data: string, dataDir: string | undefined): void {
  if (dataDir === undefined || !(drawnNames.includes(data) || splitName(data).path !== undefined)) return;
  throw fail('ERR_ARGUMENT', {
    op: '--data-dir',
    expected: 'it only with a data set of files, such as --data mnist',
    received: drawnNames.includes(data) ? `${data}, which is drawn` : `${data}, which has a path already`,
  });
}

/** A data set as part of a folder's name: a path gives its last step. */
export function labelOf(data: string): string {
  const { name, path } = splitName(data);
  return path === undefined ? name : basename(resolve(path)).replace(/\.\w+$/, '');
}
