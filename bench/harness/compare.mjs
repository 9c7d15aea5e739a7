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

/** A call that takes so long is measured once: a round of two calls for each of 15 rounds would take a minute and more. */
const SLOW_MS = 2500;
/** What takes so many times as long as the best variant in its first block gets no second one. */
const HOPELESS = 2;
/**
 * So many variants are tried twice, some time apart. Once let a burst of other work choose for the peer: PyTorch's
 * compiled step of LeNet-5, 9.9 ms, instead of 5.1.
 */
const FINALISTS = 3;

/**
 * Prepares the task in a worker, in its fastest variant: each is tried for a few short blocks first, the best ones again.
 *
 * @param {(variant: string, error: any) => unknown} [onFailure] told of a variant that failed, which then is left out; default:
 *   throw the error
 * @returns the `variant`, and whether it `isSlow`
 * @throws WorkerError if no variant works
 */
export async function prepareBestVariant(worker, task, trialMs, onFailure) {
  const { variants } = await worker.request({ do: 'variants', task });
  if (variants.length === 1) {
    const { ms } = await worker.request({ do: 'prepare', task, variant: variants[0] });
    return { variant: variants[0], isSlow: ms > SLOW_MS };
  }
  const trials = new Map();
  const ranked = () => [...trials].sort(([, a], [, b]) => a - b).map(([variant]) => variant);
  let lastError;
  for (const variant of variants) {
    try {
      trials.set(variant, await trialOf(worker, task, variant, trialMs, Math.min(...trials.values())));
    } catch (error) {
      lastError = error;
      if (error.reason === 'unsupported') continue;
      if (onFailure === undefined) throw error;
      onFailure(variant, error);
    }
  }
  if (trials.size === 0) throw lastError;
  for (const variant of trials.size > 1 ? ranked().slice(0, FINALISTS) : []) {
    const before = trials.get(variant);
    if (before > SLOW_MS) continue;
    const again = await trialOf(worker, task, variant, trialMs, Math.min(...trials.values()));
    trials.set(variant, Math.min(before, again));
  }
  const [variant] = ranked();
  await worker.request({ do: 'prepare', task, variant });
  return { variant, isSlow: trials.get(variant) > SLOW_MS };
}

/** The best of a few short blocks; those beside other processes are tried again, up to as many again. */
async function trialOf(worker, task, variant, trialMs, bestMs) {
  const { ms } = await worker.request({ do: 'prepare', task, variant });
  if (ms > SLOW_MS) return ms;
  const times = [];
  for (let quiet = 0, all = 0; quiet < TRIALS && all < 2 * TRIALS; all++) {
    const sharesSince = watchProcessor(worker.pids);
    times.push((await worker.request({ do: 'block', ms: trialMs })).value);
    if (sharesSince().others <= FULL.othersLimit) quiet += 1;
    if (quiet > 0 && Math.min(...times) > HOPELESS * bestMs) break;
  }
  return Math.min(...times);
}

/** One turn of everyone. */
async function runRound(order, prober, plan) {
  const round = { probes: [], values: {}, others: 0 };
  const sharesSince = watchProcessor(order.flatMap(({ pids }) => pids));
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

/** One call of a slow contestant, in ms. */
export async function measureOnce(worker) {
  await pause(SETTLE_MS);
  return (await worker.request({ do: 'block', ms: 1, calls: 1 })).value;
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
