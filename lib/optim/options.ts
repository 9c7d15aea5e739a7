// SPDX-License-Identifier: Apache-2.0
// Groups of parameters and their options: how they are put together from what is given, and what is refused.
import { checkOptions, describe, fail } from '../errors.js';
import { Varying } from '../native/varying.js';
import { Tensor } from '../tensor/tensor.js';

/** Options that every optimizer has. */
export interface BaseOptions {
  /** Learning rate, 0 or more. */
  lr: number;
  /** Factor of the weights that is added to their gradients, 0 or more. */
  weightDecay: number;
  /** Climb instead of descending. Default false. */
  maximize: boolean;
}

/** Parameters, and options where they differ from the optimizer's. */
export type ParameterGroup<Options> = { readonly params: readonly Tensor[] } & Partial<Options>;

/** A group as the optimizer holds it: every option is there, and may be changed between steps. */
export type FullGroup<Options> = { readonly params: readonly Tensor[] } & Options;

/** What an optimizer is made for: parameters, or groups of them with options of their own. */
export type Params<Options> = readonly Tensor[] | readonly ParameterGroup<Options>[];

/** The options of a group in the form that instructions take: their numbers may differ from step to step. */
export type Followed<Options> = {
  readonly [Name in keyof Options]: Options[Name] extends number
    ? Varying
    : Options[Name] extends readonly number[]
      ? readonly Varying[]
      : Options[Name];
};

/** The groups with all their options. Refuses wrong ones, and parameters that are none or come twice. */
export function makeGroups<Options extends object>(
  op: string,
  params: Params<Options>,
  defaults: Options,
  options: Partial<Options>,
  check: (options: Options) => void,
): FullGroup<Options>[] {
  const shared = withDefaults(op, defaults, options);
  const groups = isListOfGroups(params) ? params : [{ params } as ParameterGroup<Options>];
  const full = groups.map(({ params: own, ...changes }) => {
    const all = withDefaults(op, shared, changes as Partial<Options>);
    check(all);
    return { params: own, ...all };
  });
  checkParameters(op, full);
  return full;
}

function isListOfGroups<Options>(params: Params<Options>): params is readonly ParameterGroup<Options>[] {
  return Array.isArray(params) && params.some((item) => typeof item === 'object' && item && 'params' in item);
}

/** The defaults, changed by the options that are given; one given as undefined is not. Refuses unknown ones. */
function withDefaults<Options extends object>(
  op: string,
  defaults: Options,
  options: Partial<Options>,
): Options {
  checkOptions(op, options, Object.keys(defaults));
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...Object.fromEntries(given) };
}

function checkParameters(op: string, groups: readonly { readonly params: readonly Tensor[] }[]): void {
  const parameters = groups.flatMap(({ params }) => (Array.isArray(params) ? params : [undefined]));
  const wrong = parameters.findIndex((item) => !(item instanceof Tensor));
  if (parameters.length === 0 || wrong >= 0) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: 'at least one parameter, in an array such as model.parameters()',
      received: wrong >= 0 ? `${describe(parameters[wrong])} at position ${wrong}` : 'none',
    });
  }
  const twice = parameters.findIndex((parameter, i) => parameters.indexOf(parameter) < i);
  if (twice < 0) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'every parameter once, in one group',
    received: `the parameter at position ${parameters.indexOf(parameters[twice])} again at ${twice}`,
    hint: 'leave it out of all groups but one',
  });
}

/**
 * The options of a group, followed from step to step.
 *
 * @param before is called with the number of a step, counted from 0 at a run's beginning, before its values are read
 */
export function follow<Options extends object>(
  group: FullGroup<Options>,
  before: (step: number) => void,
): Followed<Options> {
  const entries = Object.entries(group).flatMap(([name, value]): [string, unknown][] => {
    const now = (): unknown => Reflect.get(group, name);
    const later = (read: () => number) =>
      new Varying(read(), (step) => {
        before(step);
        return read();
      });
    if (name === 'params') return [];
    if (typeof value === 'number') return [[name, later(() => now() as number)]];
    if (!Array.isArray(value)) return [[name, value]];
    return [[name, value.map((_, i) => later(() => (now() as readonly number[])[i]))]];
  });
  return Object.fromEntries(entries) as Followed<Options>;
}

/** Refuses anything but finite numbers of at least 0. */
export function checkNotNegative(op: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw fail('ERR_ARGUMENT', { op, expected: `${name} of at least 0`, received: describe(value) });
  }
}

/** Refuses anything but two numbers from 0 to below 1. */
export function checkBetas(op: string, betas: readonly number[]): void {
  if (Array.isArray(betas) && betas.length === 2 && betas.every((beta) => beta >= 0 && beta < 1)) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: 'betas to be two numbers from 0 to below 1',
    received: describe(betas),
    hint: 'such as [0.9, 0.999]',
  });
}
