// SPDX-License-Identifier: Apache-2.0
// One case, measured: contestants take turns in blocks, each beside a probe of the machine's peak, until enough rounds
// were steady.
import { pause, watchProcessor } from './machine.mjs';
import { alternatingRounds, bootstrapInterval, median, steadyRounds } from './statistics.mjs';

/**
 * How long and how often. `othersLimit`: above this share of the processor, in percent, other processes spoil a round;
 * threads that spin for each other then wait for lost time slices, and a step takes many times as long.
 */
export const FULL = { rounds: 15, blockMs: 300, probeMs: 20, trialMs: 200, othersLimit: 5 };
export const QUICK = { ...FULL, rounds: 7, probeMs: 15, trialMs: 100 };

/** Threads of other libraries spin for a moment after their work; they must not run beside the next block. */
const SETTLE_MS = 10;
const TRIALS = 3;

/**
 * Prepares the task in a worker, in its fastest variant: each is tried for a few short blocks first.
 *
 * @returns the variant's name
 */
export async function prepareBestVariant(worker, task, trialMs) {
  const { variants } = await worker.request({ do: 'variants', task });
  let best = { ms: Number.POSITIVE_INFINITY, variant: variants[0] };
  if (variants.length > 1) {
    for (const variant of variants) {
      const ms = await trialOf(worker, task, variant, trialMs);
      if (ms < best.ms) best = { ms, variant };
    }
  }
  await worker.request({ do: 'prepare', task, variant: best.variant });
  return best.variant;
}

/** The best of a few short blocks; infinite for a variant that does not work. */
async function trialOf(worker, task, variant, trialMs) {
  try {
    await worker.request({ do: 'prepare', task, variant });
  } catch (error) {
    if (error.reason === 'unsupported') return Number.POSITIVE_INFINITY;
    throw error;
  }
  const times = [];
  for (let i = 0; i < TRIALS; i++) times.push((await worker.request({ do: 'block', ms: trialMs })).value);
  return Math.min(...times);
}

/** One turn of everyone. */
async function runRound(order, prober, plan) {
  const round = { probes: [], values: {}, others: 0 };
  const sharesSince = watchProcessor(order.map(({ pid }) => pid));
  for (const worker of order) {
    await pause(SETTLE_MS);
    const { value: probe } = await prober.request({ do: 'peak', ms: plan.probeMs });
    await pause(SETTLE_MS);
    const { value } = await worker.request({ do: 'block', ms: plan.blockMs });
    round.probes.push(probe);
    round.values[worker.name] = { value, probe };
  }
  round.others = sharesSince().others;
  return round;
}

/** The rounds that nothing disturbed. */
export function undisturbed(rounds, othersLimit) {
  const quiet = rounds.filter(({ others }) => others <= othersLimit);
  return steadyRounds(quiet.map(({ probes }) => probes)).map((index) => quiet[index]);
}

/**
 * Runs rounds in alternating order. Rounds in which the probe moved or other processes worked are replaced, up to as
 * many again as were asked for; should fewer than half be good even so, all count and `steady` is false.
 *
 * @returns { rounds, steady }
 */
export async function runRounds(workers, prober, plan, onProgress = () => {}) {
  const all = [];
  for (const order of alternatingRounds(workers, 2 * plan.rounds)) {
    const enough = undisturbed(all, plan.othersLimit).length >= plan.rounds;
    if (enough && all.length % 2 === 0) break; // as many A B as B A
    onProgress(`round ${all.length + 1}`);
    all.push(await runRound(order, prober, plan));
  }
  const good = undisturbed(all, plan.othersLimit);
  return good.length >= plan.rounds / 2 ? { rounds: good, steady: true } : { rounds: all, steady: false };
}

/** Why rounds were not steady, for a remark beside the figures. */
export function unrest(rounds, others) {
  const probes = rounds.flatMap((round) => round.probes);
  const spread = (100 * (Math.max(...probes) - Math.min(...probes))) / median(probes);
  const peak = `its peak moved by ${spread.toFixed(0)} %`;
  return `unsteady machine: ${peak}, other processes took ${others.toFixed(0)} %`;
}

/** What the rounds say about one contestant: the median time, its interval, its share of the adjacent peak. */
export function summarize(rounds, name, flops) {
  const blocks = rounds.map((round) => round.values[name]);
  const values = blocks.map(({ value }) => value);
  const gflops = ({ value }) => flops / value / 1e6;
  return {
    value: median(values),
    interval: bootstrapInterval(values),
    percentOfPeak: flops > 0 ? median(blocks.map((block) => (100 * gflops(block)) / block.probe)) : null,
    gflops: flops > 0 ? median(blocks.map(gflops)) : null,
    peak: median(blocks.map(({ probe }) => probe)),
  };
}

/** The median over rounds of their time by ours: above 1, ours is faster. */
export function summarizeRatio(rounds, ours, theirs) {
  const ratios = rounds.map((round) => round.values[theirs].value / round.values[ours].value);
  return { ratio: median(ratios), interval: bootstrapInterval(ratios) };
}
