// SPDX-License-Identifier: Apache-2.0
// How a search divides its budget: one round for all trials, or successive halving (Jamieson and Talwalkar, "Non-stochastic
// Best Arm Identification and Hyperparameter Optimization", 2016): many trials briefly, the best of them longer.
import { fail } from '../errors.js';

/** One round: how many trials, and for how many epochs each. */
export interface Round {
  readonly trials: number;
  readonly epochs: number;
}

/** A third goes on, three times as long: between 2 and 4 it makes little difference (Li et al., "Hyperband", 2018). */
const FACTOR = 3;

/**
 * The rounds of successive halving: the last trains for `epochs`, each before it three times as many trials for a third of
 * that, as long as there are trials and epochs to divide. Each round takes about as many epochs in all.
 *
 * A trial that goes on is trained from the start, because a learning rate that has come down to 0 does not go on: it costs
 * a half more than going on would, and leaves nothing to keep between rounds.
 *
 * Throws ERR_ARGUMENT where that is a single round.
 */
export function halvingRounds(op: string, trials: number, epochs: number): Round[] {
  const rounds: Round[] = [];
  for (let times = 1; times <= trials && times <= epochs; times *= FACTOR) {
    rounds.push({ trials: Math.floor(trials / times), epochs: 0 });
  }
  if (rounds.length < 2) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `at least ${FACTOR} trials and ${FACTOR} epochs for halving`,
      received: `${trials} and ${epochs}`,
      hint: 'or draw at random',
    });
  }
  return rounds.map((round, i) => ({
    ...round,
    epochs: Math.max(1, Math.round(epochs / FACTOR ** (rounds.length - 1 - i))),
  }));
}
