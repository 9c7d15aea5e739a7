// SPDX-License-Identifier: Apache-2.0
// What mattered: how much of the spread of the scores each choice explains.
import type { Dimension, Value } from './choice.js';

/** One trial as a choice sees it. */
export interface Scored {
  readonly values: Readonly<Record<string, Value>>;
  readonly score: number;
}

/** A choice and what it did. */
export interface ChoiceEffect {
  readonly name: string;
  /**
   * Share of the spread of the scores that the choice explains by itself, 0 to 1: epsilon squared of their ranks, which is the
   * variance between the groups of equal values, of all, less what groups without any effect would show by chance. Ranks,
   * because one network that learnt nothing would be most of the variance of the scores themselves. What only shows together
   * with another choice is in none of the shares.
   */
  readonly share: number;
  /** Mean score for each value, or part of a range, in ascending order. */
  readonly groups: readonly EffectGroup[];
  /** Whether values are to be drawn on a logarithmic scale, a linear one, or one by one. */
  readonly scale: 'log' | 'linear' | 'list';
}

export interface EffectGroup {
  /** One value, or the ends of a part of a range. */
  readonly values: readonly Value[];
  readonly trials: number;
  readonly mean: number;
  readonly best: number;
}

/** Values of a range are put into so many groups of equal size at most, each of at least so many trials. */
const MOST_PARTS = 5;
const SMALLEST_PART = 4;

/**
 * The effects of all choices that came out in two ways or more, the largest share first. Trials that a choice was not met in
 * say nothing of it.
 */
export function effectsOf(dimensions: readonly Dimension[], trials: readonly Scored[]): ChoiceEffect[] {
  const rankOf = ranks(trials.map(({ score }) => score));
  const total = sumOfSquares(trials.map(({ score }) => rankOf(score)));
  const effects = dimensions.flatMap((dimension): ChoiceEffect[] => {
    const { name, range } = dimension;
    const met = trials.filter(({ values }) => Object.hasOwn(values, name));
    const groups = range === undefined ? byValue(name, met) : byPart(name, met);
    if (groups.length < 2) return [];
    const ranked = groups.map((group) => group.map(({ score }) => rankOf(score)));
    const isNumeric = dimension.values?.every((value) => typeof value === 'number') ?? true;
    const list = isNumeric
      ? groups
      : groups.sort((a, b) => place(dimension, name, a) - place(dimension, name, b));
    const scale = range === undefined ? 'list' : range.log ? 'log' : 'linear';
    return [
      { name, share: explained(ranked, total), groups: list.map((group) => groupOf(name, group)), scale },
    ];
  });
  return effects.sort((a, b) => b.share - a.share || (a.name < b.name ? -1 : 1));
}

const place = ({ values = [] }: Dimension, name: string, [first]: readonly Scored[]) =>
  values.indexOf(first.values[name]);

function groupOf(name: string, group: readonly Scored[]): EffectGroup {
  const values = [group[0].values[name], group[group.length - 1].values[name]];
  const scores = group.map(({ score }) => score);
  return {
    values: values[0] === values[1] ? [values[0]] : values,
    trials: group.length,
    mean: mean(scores),
    best: Math.max(...scores),
  };
}

const sorted = (name: string, trials: readonly Scored[]) =>
  [...trials].sort((a, b) =>
    a.values[name] < b.values[name] ? -1 : a.values[name] > b.values[name] ? 1 : 0,
  );

function byValue(name: string, trials: readonly Scored[]): Scored[][] {
  const groups = new Map<Value, Scored[]>();
  for (const trial of sorted(name, trials)) {
    const group = groups.get(trial.values[name]);
    if (group === undefined) groups.set(trial.values[name], [trial]);
    else group.push(trial);
  }
  return [...groups.values()];
}

/** Parts of a range with as many trials each. */
function byPart(name: string, trials: readonly Scored[]): Scored[][] {
  const order = sorted(name, trials);
  const parts = Math.min(MOST_PARTS, Math.floor(order.length / SMALLEST_PART));
  return Array.from({ length: parts }, (_, i) =>
    order.slice(Math.floor((i * order.length) / parts), Math.floor(((i + 1) * order.length) / parts)),
  );
}

/** The rank of a score among all: equal ones share the mean of theirs. */
function ranks(scores: readonly number[]): (score: number) => number {
  const order = [...scores].sort((a, b) => a - b);
  return (score) => (order.indexOf(score) + order.lastIndexOf(score)) / 2;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function sumOfSquares(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
}

/** Epsilon squared of groups, of a sum of squares in all. */
function explained(groups: readonly (readonly number[])[], total: number): number {
  const all = groups.flat();
  const within = groups.reduce((sum, group) => sum + sumOfSquares(group), 0);
  const between = sumOfSquares(all) - within;
  const freedom = all.length - groups.length;
  if (freedom <= 0 || total === 0) return 0;
  const byChance = ((groups.length - 1) * within) / freedom;
  return Math.min(1, Math.max(0, (between - byChance) / total));
}
