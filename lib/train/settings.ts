// SPDX-License-Identifier: Apache-2.0
// The options of a training in words: for its checkpoints and its log.
import { describe } from '../errors.js';
import { nativeInfo } from '../native/bindings.js';
import type { FitOptions } from './fit.js';
import { featureBytes } from './frozen-features.js';

/** Options that weights depend on and a checkpoint has no state of, in words. */
export function settingsOf(options: FitOptions): Record<string, string> {
  const {
    epochs = options.budget ? Infinity : 1,
    microBatches,
    lr,
    momentum,
    weightDecay,
    schedule,
    warmup,
    loss,
    ema,
    nesterov,
    normLr,
    labelSmoothing,
  } = options;
  const { clipGradNorm, clipGradValue } = options;
  const { isa } = nativeInfo();
  const chosen = { epochs, microBatches, lr, momentum, weightDecay, schedule, warmup, loss, ema };
  const { freezeAfter } = options;
  const cached = options.cacheFeatures === undefined ? undefined : featureBytes(options);
  const more = { nesterov, normLr, labelSmoothing, freezeAfter: freezeAfter?.epochs, featureBytes: cached };
  const augment = options.augment && JSON.stringify(options.augment);
  const all = Object.entries({ ...chosen, ...more, clipGradNorm, clipGradValue, augment, isa });
  const known = all.filter(([, value]) => ['number', 'string', 'boolean'].includes(typeof value));
  return Object.fromEntries(known.map(([name, value]) => [name, String(value)]));
}

/** Options that are no plain values, but are written down as they are. */
const STRUCTURED: readonly (keyof FitOptions)[] = [
  ...(['augment', 'metrics', 'checkpoint', 'earlyStopping', 'budget'] as const),
];
/** Options that may be functions or objects of the caller: their names say something. */
const NAMED: readonly (keyof FitOptions)[] = ['loss', 'optimizer', 'schedule', 'ema', 'lookahead'];

/** Options as they can be written as JSON; what has no such form is left out. */
export function plainSettings(options: FitOptions): Record<string, unknown> {
  const all = Object.entries(options).flatMap(([name, value]): [string, unknown][] => {
    const option = name as keyof FitOptions;
    if (['number', 'string', 'boolean'].includes(typeof value) || STRUCTURED.includes(option))
      return [[name, value]];
    return NAMED.includes(option) && value !== undefined ? [[name, describe(value)]] : [];
  });
  return Object.fromEntries(all);
}
