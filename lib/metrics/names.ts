// SPDX-License-Identifier: Apache-2.0
// Metrics by name, as `evaluate` and the command line take them.
import { describe, didYouMean, fail } from '../errors.js';
import type { MetricCounts } from './counts.js';
import type { Average, ScoreName } from './scores.js';

type Form = '' | 'Macro' | 'Micro' | 'Weighted' | 'PerClass';

/**
 * 'accuracy'; 'top5' and the like; 'precision', 'recall' and 'f1', which are means over classes, with 'Micro', 'Weighted' or
 * 'PerClass' behind them for other forms; 'calibrationError'.
 */
export type MetricName = 'accuracy' | 'calibrationError' | `top${number}` | `${ScoreName}${Form}`;

/** Metrics by the names that were asked for: a number, or one for each class. */
export type MetricValues = Readonly<Record<string, number | readonly number[]>>;

const FORMS: Readonly<Record<Form, Average>> = {
  '': 'macro',
  Macro: 'macro',
  Micro: 'micro',
  Weighted: 'weighted',
  PerClass: 'none',
};
const SCORE_NAMES: readonly ScoreName[] = ['precision', 'recall', 'f1'];

/** Some of the names, for messages; there is a 'top…' for each number. */
export const METRIC_NAMES: readonly string[] = [
  'accuracy',
  'top5',
  ...SCORE_NAMES.flatMap((score) => Object.keys(FORMS).map((form) => `${score}${form}`)),
  'calibrationError',
];

/** How a metric is read from counts, and which of the parts that are not always counted it needs. */
interface Metric {
  readonly name: string;
  readonly needs: 'ranks' | 'confidence' | undefined;
  readonly of: (counts: MetricCounts) => number | readonly number[];
}

/** The metrics of these names. Throws ERR_ARGUMENT for names that are none, or more places than there are classes. */
export function metricsNamed(op: string, names: readonly string[], classes: number): Metric[] {
  if (!Array.isArray(names)) {
    const expected = "metrics as an array of names, such as ['top5', 'f1']";
    throw fail('ERR_ARGUMENT', { op, expected, received: describe(names) });
  }
  return names.map((name) => metricNamed(op, name, classes));
}

function metricNamed(op: string, name: string, classes: number): Metric {
  if (name === 'accuracy') return { name, needs: undefined, of: ({ accuracy }) => accuracy };
  if (name === 'calibrationError') {
    return { name, needs: 'confidence', of: ({ calibrationError }) => calibrationError };
  }
  const k = Number(/^top([1-9]\d*)$/.exec(String(name))?.[1]);
  if (k <= classes) return { name, needs: 'ranks', of: (counts) => counts.topK(k) };
  const score = SCORE_NAMES.find((known) => String(name).startsWith(known));
  const form = score && name.slice(score.length);
  const average = form !== undefined && Object.hasOwn(FORMS, form) ? FORMS[form as Form] : undefined;
  if (score && average) return { name, needs: undefined, of: (counts) => counts[score]({ average }) };
  throw fail('ERR_ARGUMENT', {
    op,
    expected:
      k > classes ? `a top of at most ${classes} classes` : `metrics out of ${METRIC_NAMES.join(', ')}`,
    received: describe(name),
    hint: k > classes ? undefined : didYouMean(name, METRIC_NAMES),
  });
}
