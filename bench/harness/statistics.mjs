// SPDX-License-Identifier: Apache-2.0
// What the harness does with numbers: medians, bootstrap intervals, the order of blocks, which rounds were steady.

/** The middle value, or the mean of the two in the middle. NaN for an empty list. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The value below which a share of the others lies, by linear interpolation; `share` from 0 to 1. */
export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

/** A small generator, so that the same measurements always give the same interval (mulberry32). */
export function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Percentile bootstrap interval of the median: how far it would move had the same blocks been drawn again.
 *
 * @param options level: coverage, default 0.95; resamples: default 2000; seed: default 1
 * @returns [low, high]
 */
export function bootstrapInterval(values, { level = 0.95, resamples = 2000, seed = 1 } = {}) {
  const random = seededRandom(seed);
  const medians = Array.from({ length: resamples }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)])),
  );
  return [quantile(medians, (1 - level) / 2), quantile(medians, (1 + level) / 2)];
}

/**
 * Who runs in which order: A B, B A, A B, … so that a drift of the machine meets both sides alike.
 *
 * @returns one array of contestants for each round
 */
export function alternatingRounds(contestants, rounds) {
  return Array.from({ length: rounds }, (_, round) =>
    round % 2 === 0 ? [...contestants] : [...contestants].reverse(),
  );
}

/**
 * Indices of the rounds whose peak probes all lie within `tolerance` of the median probe. In the others the machine
 * was slowed down by something else, and their ratio says little.
 *
 * @param probes for each round the GFLOP/s measured beside its blocks
 */
export function steadyRounds(probes, tolerance = 0.03) {
  const typical = median(probes.flat());
  return probes.flatMap((round, index) =>
    round.every((probe) => Math.abs(probe / typical - 1) <= tolerance) ? [index] : [],
  );
}
