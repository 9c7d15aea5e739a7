// SPDX-License-Identifier: Apache-2.0
// Schedules that rise and fall: cosines, with restarts, and one cycle. Names, defaults and numbers are PyTorch's.
import { checkBooleans, checkOptions, checkWhole, describe, fail } from '../errors.js';
import { checkBetween, checkRate, type RelativeSchedule } from './schedule.js';

/** Options of `cosineAnnealingLR`. */
export interface CosineAnnealingLROptions {
  /** Steps of half a cosine. */
  readonly tMax: number;
  /** The lowest rate. Default 0. */
  readonly etaMin?: number;
}

function cosineBetween(high: number, low: number, progress: number): number {
  return low + ((high - low) * (1 + Math.cos(Math.PI * progress))) / 2;
}

/** Half a cosine from the rate down to `etaMin` (Loshchilov and Hutter 2017). After `tMax` steps it rises again, as PyTorch's. */
export function cosineAnnealingLR(options: CosineAnnealingLROptions): RelativeSchedule {
  checkOptions('cosineAnnealingLR', options, ['tMax', 'etaMin']);
  const { tMax, etaMin = 0 } = options;
  checkWhole('cosineAnnealingLR', 'tMax', tMax);
  checkRate('cosineAnnealingLR', 'etaMin', etaMin);
  return (step, base = 1) => cosineBetween(base, etaMin, step / tMax);
}

/** Options of `cosineAnnealingWarmRestarts`. */
export interface WarmRestartsOptions {
  /** Steps until the first restart. */
  readonly t0: number;
  /** How many times longer each cycle is than the one before: a whole number. Default 1. */
  readonly tMult?: number;
  /** The lowest rate. Default 0. */
  readonly etaMin?: number;
}

/** Half cosines from the rate down to `etaMin`, one after another, without end (SGDR: Loshchilov and Hutter 2017). */
export function cosineAnnealingWarmRestarts(options: WarmRestartsOptions): RelativeSchedule {
  checkOptions('cosineAnnealingWarmRestarts', options, ['t0', 'tMult', 'etaMin']);
  const { t0, tMult = 1, etaMin = 0 } = options;
  checkWhole('cosineAnnealingWarmRestarts', 't0', t0);
  checkWhole('cosineAnnealingWarmRestarts', 'tMult', tMult);
  checkRate('cosineAnnealingWarmRestarts', 'etaMin', etaMin);
  return (step, base = 1) => {
    let [length, since] = [t0, tMult === 1 ? step % t0 : step];
    while (since >= length) {
      since -= length;
      length *= tMult;
    }
    return cosineBetween(base, etaMin, since / length);
  };
}

/** Options of `oneCycleLR`. */
export interface OneCycleLROptions {
  /** Steps of the whole cycle. */
  readonly totalSteps: number;
  /** The highest rate. Default: the one that a group began with, so that groups keep their ratio. */
  readonly maxLr?: number;
  /** The share of the steps in which the rate rises, above 0 and below 1. Default 0.3. */
  readonly pctStart?: number;
  /** 'cos' (default) or 'linear'. */
  readonly annealStrategy?: 'cos' | 'linear';
  /** Move the momentum against the rate: `momentum` of the groups, or the first of their `betas`. Default true. */
  readonly cycleMomentum?: boolean;
  /** The momentum at the highest rate. Default 0.85. */
  readonly baseMomentum?: number;
  /** The momentum at the ends. Default 0.95. */
  readonly maxMomentum?: number;
  /** The first rate is maxLr / divFactor. Default 25. */
  readonly divFactor?: number;
  /** The last rate is the first / finalDivFactor. Default 1e4. */
  readonly finalDivFactor?: number;
  /** Fall as symmetrically as it rose, and then to the end. Default false. */
  readonly threePhase?: boolean;
}

const ONE_CYCLE_OPTIONS: readonly (keyof OneCycleLROptions)[] = [
  ...(['totalSteps', 'maxLr', 'pctStart', 'annealStrategy', 'cycleMomentum', 'baseMomentum'] as const),
  ...(['maxMomentum', 'divFactor', 'finalDivFactor', 'threePhase'] as const),
];

/** A part of the cycle: the last step of it, and what the two values go to. */
interface Phase {
  readonly end: number;
  readonly rate: readonly [from: number, to: number];
  readonly momentum: readonly [from: number, to: number];
}

/**
 * One rise to `maxLr` and one fall far below the first rate, the momentum the other way round (Smith and Topin 2018). Step
 * `totalSteps` - 1 is the last of the cycle. The one after it, which `step` of a scheduler asks for behind the last update,
 * has the same rate; those that come later are refused with ERR_ARGUMENT, as PyTorch refuses them.
 */
export function oneCycleLR(options: OneCycleLROptions): RelativeSchedule {
  checkOptions('oneCycleLR', options, ONE_CYCLE_OPTIONS);
  const { totalSteps, maxLr, annealStrategy = 'cos', cycleMomentum = true } = options;
  checkWhole('oneCycleLR', 'totalSteps', totalSteps);
  if (maxLr !== undefined) checkRate('oneCycleLR', 'maxLr', maxLr);
  checkBooleans('oneCycleLR', { cycleMomentum, threePhase: options.threePhase });
  if (annealStrategy !== 'cos' && annealStrategy !== 'linear') {
    const expected = "annealStrategy 'cos' or 'linear'";
    throw fail('ERR_ARGUMENT', { op: 'oneCycleLR', expected, received: describe(annealStrategy) });
  }
  const phases = phasesOf(options);
  const at = (step: number, value: 'rate' | 'momentum') => {
    if (step > totalSteps) throw pastTheEnd(step, totalSteps);
    const i = phases.findIndex(({ end }, k) => step <= end || k === phases.length - 1);
    const [start, { end }] = [phases[i - 1]?.end ?? 0, phases[i]];
    const progress = end === start ? 1 : Math.min(1, (step - start) / (end - start));
    const [from, to] = phases[i][value];
    return annealStrategy === 'cos' ? cosineBetween(from, to, progress) : from + (to - from) * progress;
  };
  const rate = (step: number, base = 1) => (maxLr ?? base) * at(step, 'rate');
  return cycleMomentum ? Object.assign(rate, { momentum: (step: number) => at(step, 'momentum') }) : rate;
}

/** The phases of a cycle whose highest rate is 1. */
function phasesOf(options: OneCycleLROptions): readonly Phase[] {
  const { totalSteps, pctStart = 0.3, baseMomentum = 0.85, maxMomentum = 0.95 } = options;
  const { divFactor = 25, finalDivFactor = 1e4, threePhase = false } = options;
  checkBetween('oneCycleLR', 'pctStart', pctStart, 0, 1);
  checkBetween('oneCycleLR', 'divFactor', divFactor, 0);
  checkBetween('oneCycleLR', 'finalDivFactor', finalDivFactor, 0);
  for (const [name, value] of Object.entries({ baseMomentum, maxMomentum })) {
    if (value > 0 && value < 1) continue;
    const expected = `${name} above 0 and below 1`;
    throw fail('ERR_ARGUMENT', { op: 'oneCycleLR', expected, received: describe(value) });
  }
  const first = 1 / divFactor;
  const last = first / finalDivFactor;
  const rise = { rate: [first, 1], momentum: [maxMomentum, baseMomentum] } as const;
  const top = pctStart * totalSteps - 1;
  if (!threePhase) {
    return [
      { ...rise, end: top },
      { end: totalSteps - 1, rate: [1, last], momentum: [baseMomentum, maxMomentum] },
    ];
  }
  return [
    { ...rise, end: top },
    { end: 2 * pctStart * totalSteps - 2, rate: [1, first], momentum: [baseMomentum, maxMomentum] },
    { end: totalSteps - 1, rate: [first, last], momentum: [maxMomentum, maxMomentum] },
  ];
}

function pastTheEnd(step: number, totalSteps: number) {
  return fail('ERR_ARGUMENT', {
    op: 'oneCycleLR',
    expected: `at most the ${totalSteps} steps of the cycle`,
    received: `step ${step}, counted from 0`,
    hint: 'make the schedule with totalSteps for all updates there will be',
  });
}
