// SPDX-License-Identifier: Apache-2.0
// From the names that `fit` and the command line take to schedules, and their work during a training.
import { checkWhole, fail } from '../errors.js';
import { cosineAnnealingWarmRestarts, oneCycleLR } from '../optim/annealing.js';
import { exponentialLR, multiStepLR, polynomialLR, stepLR } from '../optim/decays.js';
import { LRScheduler } from '../optim/lr-scheduler.js';
import type { Optimizer } from '../optim/optimizer.js';
import { Plateau, plateau, ReduceLROnPlateau } from '../optim/plateau.js';
import { cosine, type Schedule } from '../optim/schedule.js';
import { warmup } from '../optim/schedule-sequence.js';
import { triangular } from '../optim/triangular.js';
import { BUDGET_STEPS, type Budget } from './budget.js';
import { checkName } from './optimizers.js';
import type { HistoryRow } from './progress.js';

/** Names of the schedules. */
export const SCHEDULE_NAMES = [
  ...(['constant', 'cosine', 'step', 'multi-step', 'exponential', 'polynomial'] as const),
  ...(['one-cycle', 'triangular', 'warm-restarts', 'plateau'] as const),
] as const;
export type ScheduleName = (typeof SCHEDULE_NAMES)[number];

/** How learning rates change while a model is trained. */
export interface ScheduleOptions {
  /**
   * A function from the number of the step, the first of which is 0, and the rate that a group began with to its rate: one of
   * `optim`, or one's own; `optim.plateau(…)`; or a name, over all steps of the training: 'constant' (default); 'cosine', down to
   * 0; 'step', a tenth after each third; 'multi-step', a tenth after half and after three quarters; 'exponential', down to a
   * hundredth; 'polynomial', in a straight line to 0; 'one-cycle', PyTorch's, with the rate as its highest; 'triangular',
   * from a fifth of it up and down to a fourteenth, in straight lines; 'warm-restarts', three cosines, each twice as long as the one
   * before; 'plateau', a tenth after 10 epochs without progress.
   */
  readonly schedule?: ScheduleName | Schedule | Plateau | undefined;
  /** Steps of a linear rise before the schedule begins, which then runs over the rest. Default 0. */
  readonly warmup?: number | undefined;
}

type Named = (steps: number, optimizer: Optimizer) => Schedule;

const SCHEDULES: Readonly<Record<Exclude<ScheduleName, 'plateau'>, Named>> = {
  constant: () => (_, base) => base,
  cosine: (steps) => cosine({ steps }),
  step: (steps) => stepLR({ stepSize: Math.ceil(steps / 3) }),
  'multi-step': (steps) => {
    const milestones = [Math.ceil(steps / 2), Math.ceil((3 * steps) / 4)];
    return multiStepLR({ milestones: [...new Set(milestones)] });
  },
  exponential: (steps) => exponentialLR({ gamma: 0.01 ** (1 / steps) }),
  polynomial: (steps) => polynomialLR({ totalIters: steps }),
  'one-cycle': (totalSteps, { groups }) =>
    oneCycleLR({ totalSteps, cycleMomentum: 'momentum' in groups[0] || 'betas' in groups[0] }),
  triangular: (steps) => triangular({ steps }),
  'warm-restarts': (steps) => cosineAnnealingWarmRestarts({ t0: Math.ceil(steps / 7), tMult: 2 }),
};

/** What sets the learning rates of a training. */
export interface Rates {
  /** Sets those of a step, counted from the training's first. */
  readonly beforeStep: (step: number) => void;
  readonly afterEpoch: (row: HistoryRow) => void;
  /** What a checkpoint keeps of them; without one they follow from the optimizer's. */
  readonly state?: Pick<LRScheduler, 'stateDict' | 'loadStateDict'>;
}

const nothing = () => {};

/**
 * The rates that the options ask for, over `steps` steps. Groups of parameters keep the ratio of their rates, unless a function
 * of the user's has it otherwise. Throws ERR_ARGUMENT, also for a schedule that ends before the last step; the optimizer is
 * then as it was.
 */
export function makeRates(
  options: ScheduleOptions,
  optimizer: Optimizer,
  steps: number,
  budget?: Budget,
): Rates {
  const { schedule = 'constant' } = options;
  const rise = checkRise(options);
  if (rise >= steps) {
    const received = `${rise}, of ${steps} steps in all`;
    throw fail('ERR_ARGUMENT', { op: 'fit', expected: 'a warmup shorter than the training', received });
  }
  if (schedule instanceof Plateau || schedule === 'plateau') {
    return onPlateau(schedule === 'plateau' ? plateau() : schedule, optimizer, rise);
  }
  if (typeof schedule !== 'function') checkName('schedule', schedule, SCHEDULE_NAMES);
  if (schedule === 'constant' && rise === 0) return { beforeStep: nothing, afterEpoch: nothing };
  if (budget !== undefined && typeof schedule === 'function') throw noSpread();
  const length = budget === undefined ? steps - rise : BUDGET_STEPS;
  const named = typeof schedule === 'function' ? schedule : SCHEDULES[schedule](length, optimizer);
  const main = budget === undefined ? named : budget.spread(named);
  const scheduler = new LRScheduler(optimizer, rise === 0 ? main : warmup(rise, main));
  if (budget === undefined) scheduler.set(steps - 1);
  scheduler.set(0);
  return { beforeStep: (step) => scheduler.set(step), afterEpoch: nothing, state: scheduler };
}

/** Steps of the warm-up. Throws ERR_ARGUMENT. */
export function checkRise(options: ScheduleOptions): number {
  return checkWhole('fit', 'warmup', options.warmup ?? 0, 0);
}

function noSpread() {
  return fail('ERR_ARGUMENT', {
    op: 'fit',
    expected: 'a schedule by name, which can be spread over a budget of time',
    received: 'a function of the step',
  });
}

function onPlateau({ options }: Plateau, optimizer: Optimizer, rise: number): Rates {
  if (rise > 0) {
    throw fail('ERR_ARGUMENT', {
      op: 'fit',
      expected: 'no warmup with a schedule that follows the epochs',
      received: `${rise} steps`,
      hint: 'train for the warm-up first, with another call of fit and the same optimizer',
    });
  }
  const reduce = new ReduceLROnPlateau(optimizer, options);
  const afterEpoch = ({ loss, accuracy, valLoss = loss, valAccuracy = accuracy }: HistoryRow) => {
    reduce.step(options.mode === 'min' ? valLoss : valAccuracy);
  };
  return { beforeStep: nothing, afterEpoch, state: reduce };
}
