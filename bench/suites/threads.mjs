// SPDX-License-Identifier: Apache-2.0
// How steps gain by threads: 1, 2, 4 … up to all cores, each number in a process of its own, in alternating blocks of one
// run. The arithmetic peak, first, shows what the machine itself gains.
import { prepareBestVariant, runRounds, summarize, summarizeRatio, unrest } from '../harness/compare.mjs';
import { startOurs } from '../harness/contestants.mjs';
import { watchProcessor } from '../harness/machine.mjs';
import { median } from '../harness/statistics.mjs';
import { significant } from '../harness/table.mjs';
import { NETS, stepFlops } from '../nets.mjs';

export const summary = 'training steps with 1, 2, 4 … threads up to all cores';

/** There is nothing to compare. */
export const alone = true;

const PEAK = 'fma';
const CASES = [
  ['lenet5', 64],
  ['vgg-cifar', 64],
  ['resnet18-cifar', 32],
  ['resnet20-cifar', 128],
].map(([model, batch]) => ({
  name: `${model}/b${batch}`,
  task: { kind: 'step', net: NETS[model], batch },
  flops: stepFlops(NETS[model], batch),
}));

const PEAK_MS = 40;
const COMPARED_STEPS = 3;

export const caseNames = () => [PEAK, ...CASES.map(({ name }) => name)];

/** 1, 2, 4 … and `most`. */
export function doublings(most) {
  const counts = [];
  for (let count = 1; count < most; count *= 2) counts.push(count);
  return [...counts, most];
}

/** `1.93 [1.90, 1.95] times one thread, 97 % of ideal`; empty for what everything is compared with. */
function gainText(gain, interval, threads, least) {
  if (threads === least) return '';
  const range = interval === undefined ? '' : ` [${interval.map(significant).join(', ')}]`;
  const base = `${least} thread${least > 1 ? 's' : ''}`;
  return `${significant(gain)}${range} times ${base}, ${((100 * gain * least) / threads).toFixed(0)} % of ideal`;
}

/** The peak of each worker, in GFLOP/s: the median over a few rounds in turns. */
async function peaksOf(context, workers) {
  const values = workers.map(() => []);
  for (let round = 0; round < context.plan.rounds; round++) {
    for (const [i, { worker }] of workers.entries()) {
      context.progress(`${PEAK}: round ${round + 1}`);
      values[i].push((await worker.request({ do: 'peak', ms: PEAK_MS })).value);
    }
  }
  return values.map(median);
}

async function measureCase(context, workers, peaks, { name, task, flops }) {
  context.progress(`${name}: the same weights?`);
  const digests = new Set();
  for (const { worker } of workers) {
    const { digest } = await worker.request({
      do: 'steps',
      task,
      variant: 'captured',
      steps: COMPARED_STEPS,
    });
    digests.add(digest);
    await prepareBestVariant(worker, task, context.plan.trialMs);
  }
  if (digests.size > 1) throw new Error(`${name}: the weights depend on the number of threads`);
  const all = workers.map(({ worker }) => worker);
  const sharesSince = watchProcessor(all.map(({ pid }) => pid));
  const { rounds, steady } = await runRounds(all, all.at(-1), context.plan, (text) =>
    context.progress(`${name}: ${text}`),
  );
  const { steal, others } = sharesSince();
  for (const [i, { worker, threads }] of workers.entries()) {
    const { value, interval, gflops } = summarize(rounds, worker.name, flops);
    const gain = summarizeRatio(rounds, worker.name, all[0].name);
    const notes = [gainText(gain.ratio, gain.interval, threads, workers[0].threads)];
    if (!steady) notes.push(unrest(rounds, others));
    context.row({
      case: name,
      threads,
      isa: worker.about.isa,
      value,
      interval,
      unit: 'ms',
      gflops,
      percentOfPeak: (100 * gflops) / peaks[i],
      gain: gain.ratio,
      gainInterval: gain.interval,
      rounds: rounds.length,
      steady,
      steal,
      others,
      peers: {},
      ratio: {},
      notes: notes.filter((note) => note !== '').join('; '),
    });
  }
}

export async function run(context, names) {
  const counts = context.threads.length > 0 ? context.threads : doublings(context.threadCounts()[0]);
  const workers = await Promise.all(
    [...new Set(counts)]
      .sort((a, b) => a - b)
      .map(async (threads) => ({
        threads,
        worker: await startOurs(threads, 'ours.mjs', `threads ${threads}`),
      })),
  );
  try {
    const peaks = await peaksOf(context, workers);
    for (const [i, { worker, threads }] of workers.entries()) {
      if (!names.includes(PEAK)) break;
      const gain = peaks[i] / peaks[0];
      context.row({
        case: PEAK,
        threads,
        isa: worker.about.isa,
        value: peaks[i],
        unit: 'GFLOP/s',
        percentOfPeak: null,
        gain,
        peers: {},
        ratio: {},
        notes: gainText(gain, undefined, threads, workers[0].threads),
      });
    }
    for (const item of CASES.filter(({ name }) => names.includes(name))) {
      await measureCase(context, workers, peaks, item);
    }
  } finally {
    await Promise.all(workers.map(({ worker }) => worker.close()));
  }
}
