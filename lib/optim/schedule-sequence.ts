// SPDX-License-Identifier: Apache-2.0
// Schedules one after another.
import { checkWhole, describe, fail } from '../errors.js';
import { checkMilestones } from './decays.js';
import { checkSchedule, type RelativeSchedule, type Schedule } from './schedule.js';

/** A schedule whose momentum comes from another function, where there is one. */
function withMomentum(rate: RelativeSchedule, momentum: Schedule['momentum']): RelativeSchedule {
  return momentum === undefined ? rate : Object.assign(rate, { momentum });
}

/**
 * One schedule until the first milestone, the next one until the second, and so on; each counts its steps from its own
 * beginning (PyTorch's `SequentialLR`).
 *
 * @param milestones steps at which the next schedule takes over: one fewer than schedules, in rising order
 */
export function sequentialLR(
  schedules: readonly Schedule[],
  milestones: readonly number[],
): RelativeSchedule {
  const ends = checkMilestones('sequentialLR', milestones);
  if (!Array.isArray(schedules) || schedules.length !== ends.length + 1) {
    throw fail('ERR_ARGUMENT', {
      op: 'sequentialLR',
      expected: `an array of ${ends.length + 1} schedules for ${ends.length} milestones`,
      received: Array.isArray(schedules) ? String(schedules.length) : describe(schedules),
    });
  }
  for (const schedule of schedules) checkSchedule('sequentialLR', schedule);
  const at = (step: number) => {
    const i = ends.filter((end) => end <= step).length;
    return { schedule: schedules[i], since: step - (i === 0 ? 0 : ends[i - 1]) };
  };
  const moves = schedules.some(({ momentum }) => momentum !== undefined);
  return withMomentum(
    (step, base = 1) => {
      const { schedule, since } = at(step);
      return schedule(since, base);
    },
    moves
      ? (step) => {
          const { schedule, since } = at(step);
          return schedule.momentum?.(since);
        }
      : undefined,
  );
}

/**
 * A linear rise to the first rate of another schedule, which then begins: in step i of the warm-up its rate times
 * (i + 1) / steps (Goyal et al. 2017).
 *
 * @param steps of the warm-up; 0 is none
 */
export function warmup(steps: number, then: Schedule): RelativeSchedule {
  checkWhole('warmup', 'steps', steps, 0);
  checkSchedule('warmup', then);
  const { momentum } = then;
  return withMomentum(
    (step, base = 1) => (step < steps ? (then(0, base) * (step + 1)) / steps : then(step - steps, base)),
    momentum && ((step) => momentum(Math.max(0, step - steps))),
  );
}
