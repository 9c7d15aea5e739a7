// SPDX-License-Identifier: Apache-2.0
// The tables of a search: the trials with the best first, and what mattered.
import { layersText, trainingText } from '../search/candidate.js';
import type { ChoiceEffect } from '../search/effects.js';
import type { SearchResult, TrialResult } from '../search/search.js';
import { count, percent, short } from './format.js';
import { type Column, formatTable } from './table.js';

const COLUMNS: readonly Column<TrialResult>[] = [
  {
    title: 'trial',
    from: 0,
    isNumber: true,
    of: ({ trial, isBaseline }) => (isBaseline ? 'base' : `${trial}`),
  },
  {
    title: 'score',
    from: 0,
    isNumber: true,
    of: ({ score }) => (score === undefined ? 'failed' : percent(score)),
  },
  { title: 'loss', from: 0, isNumber: true, of: ({ loss }) => loss?.toFixed(4) ?? '' },
  { title: 'epochs', from: 60, isNumber: true, of: ({ epochs }) => String(epochs) },
  { title: 'parameters', from: 80, isNumber: true, of: ({ parameters }) => count(parameters) },
  { title: 'MACs', from: 80, isNumber: true, of: ({ multiplyAdds }) => short(multiplyAdds) },
  { title: 'training', from: 120, of: ({ training, failure }) => failure ?? trainingText(training) },
  { title: 'layers', from: 160, of: ({ layers }) => layersText(layers) },
];

/** The trials for a terminal of so many columns. It says nothing that a search that was resumed would say otherwise. */
export function trialsTable(trials: readonly TrialResult[], width: number): string[] {
  return formatTable(COLUMNS, trials, width);
}

const valuesText = ({ groups }: ChoiceEffect): string =>
  groups.map(({ values, mean }) => `${values.join(' to ')}: ${percent(mean)}`).join(', ');

const EFFECT_COLUMNS: readonly Column<ChoiceEffect>[] = [
  { title: 'choice', from: 0, of: ({ name }) => name },
  { title: 'share', from: 0, isNumber: true, of: ({ share }) => percent(share, 1) },
  { title: 'mean score by value', from: 60, of: valuesText },
];

/** What mattered. */
export function effectsTable(effects: readonly ChoiceEffect[], width: number): string[] {
  return formatTable(EFFECT_COLUMNS, effects, width);
}

/** Everything there is to say of a search, for a file. */
export function searchText(result: SearchResult, title: string): string {
  const notes = notesOf(result);
  const parts = [
    [title],
    trialsTable(result.trials, Infinity),
    ['What mattered: share of the spread of scores that each choice explains by itself'],
    effectsTable(result.effects, Infinity),
    ...(notes.length > 0 ? [notes] : []),
  ];
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** What was not trained to the end, and why. */
export function notesOf({ skipped, failed }: SearchResult): string[] {
  return [
    ...(skipped.count > 0 ? [`passed over: ${count(skipped.count)}, such as ${skipped.reason}`] : []),
    ...(failed > 0 ? [`failed: ${count(failed)}`] : []),
  ];
}
