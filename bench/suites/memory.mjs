// SPDX-License-Identifier: Apache-2.0
// Memory of a process that trains: the most that was ever resident, and what ours holds natively. A fresh process for
// every contestant and each of its variants, since a search for one would leave its own marks; a peer gets its smallest.
// And what a plan costs that is held to 0.6 of the memory it would take.
import { runRounds, summarizeRatio, unrest } from '../harness/compare.mjs';
import { missingLine, startOurs, startPeer } from '../harness/contestants.mjs';
import { significant } from '../harness/table.mjs';
import { NETS } from '../nets.mjs';

export const summary = 'peak resident memory of a training process, and a step held to less of it';

const CASES = [
  ['lenet5', 64],
  ['vgg-cifar', 64],
  ['resnet18-cifar', 32],
  ['resnet20-cifar', 128],
].map(([model, batch]) => ({
  name: `${model}/b${batch}`,
  task: { kind: 'step', net: NETS[model], batch, measures: 'memory' },
}));

/** The share of its natural peak that a plan may take, and how many times as long it may take for that. */
const SHARE = 0.6;
const MOST_TIME = 1.5;
const HELD = {
  name: `resnet18-cifar/b32/${SHARE}`,
  task: { kind: 'step', net: NETS['resnet18-cifar'], batch: 32 },
};
/** Steps after which both plans must have the same weights. */
const COMPARED_STEPS = 3;

const TRAIN_MS = 2000;
const MIB = 2 ** 20;

export const caseNames = () => [...CASES, HELD].map(({ name }) => name);

/** Trains for a while and reads the memory. */
async function measure(worker, task, variant) {
  const { rss: before } = await worker.request({ do: 'memory' });
  await worker.request({ do: 'prepare', task, variant });
  await worker.request({ do: 'block', ms: TRAIN_MS });
  return { before, variant, ...(await worker.request({ do: 'memory' })) };
}

/** Starts a contestant, hands it to `use` with its variants and ends it. */
async function withFresh(start, task, use) {
  const worker = await start();
  try {
    const { variants } = await worker.request({ do: 'variants', task });
    return await use(worker, variants);
  } finally {
    await worker.close();
  }
}

/** The variant of a peer that takes the least memory, each in a process of its own; null if it can do none. */
async function smallest(context, peer, { name, task }, threads) {
  const start = () => startPeer(peer, threads, { compile: false });
  let least = null;
  try {
    const variants = await withFresh(start, task, async (_worker, variants) => variants);
    for (const variant of variants) {
      context.progress(`${name}: ${peer} ${variant}`);
      const measured = await withFresh(start, task, async (worker) => ({
        ...(await measure(worker, task, variant)),
        version: worker.about.version,
      }));
      if (least === null || measured.peakRss < least.peakRss) least = measured;
    }
  } catch (error) {
    if (error.reason === 'missing') context.noteOnce(missingLine(peer, error.message));
    else context.note(`${name}: ${peer} cannot run it (${error.message})`);
  }
  return least;
}

async function measureCase(context, item, threads) {
  context.progress(`${item.name}: receptive`);
  const own = await withFresh(
    () => startOurs(threads),
    item.task,
    async (worker, [variant]) => ({
      ...(await measure(worker, item.task, variant)),
      isa: worker.about.isa,
    }),
  );
  const row = {
    case: item.name,
    threads,
    isa: own.isa,
    value: own.peakRss,
    unit: 'MiB',
    percentOfPeak: null,
    beforeRss: own.before,
    nativePeak: own.nativePeak,
    notes: `native ${own.nativePeak.toFixed(1)} MiB, ${own.before.toFixed(0)} MiB before the net`,
    peers: {},
    ratio: {},
  };
  for (const peer of context.peers) {
    const least = await smallest(context, peer, item, threads);
    if (least === null) continue;
    const { peakRss: value, before: beforeRss, variant, version } = least;
    row.peers[peer] = { value, version, variant, beforeRss };
    row.ratio[peer] = value / own.peakRss;
  }
  context.row(row);
}

/** The plan as it comes and one held to a share of its peak, in alternating blocks. They must learn the same. */
async function measureHeld(context, { name, task }, threads) {
  const [natural, held] = await Promise.all(
    ['natural', 'held'].map((plan) => startOurs(threads, 'ours.mjs', plan)),
  );
  try {
    context.progress(`${name}: the same weights?`);
    const steps = { do: 'steps', variant: 'captured', steps: COMPARED_STEPS };
    const whole = await natural.request({ ...steps, task });
    const heldTask = { ...task, maxMemory: Math.floor(SHARE * whole.peakBytes) };
    const less = await held.request({ ...steps, task: heldTask });
    if (less.digest !== whole.digest) throw new Error(`${name}: the plans end with different weights`);
    await natural.request({ do: 'prepare', task, variant: 'captured' });
    await held.request({ do: 'prepare', task: heldTask, variant: 'captured' });
    const { rounds, steady } = await runRounds([natural, held], natural, context.plan, (text) =>
      context.progress(`${name}: ${text}`),
    );
    const { ratio: timeRatio, interval: timeRatioInterval } = summarizeRatio(rounds, 'natural', 'held');
    const others = Math.max(...rounds.map((round) => round.others));
    const notes = [
      `plan of ${significant(whole.peakBytes / MIB)} MiB held to ${SHARE} of it`,
      `${significant(timeRatio)} of the time [${timeRatioInterval.map(significant).join(', ')}]`,
      'the same weights',
      ...(timeRatio > MOST_TIME ? [`more than the ${MOST_TIME} it may take`] : []),
      ...(steady ? [] : [unrest(rounds, others)]),
    ];
    context.row({
      case: name,
      threads,
      isa: natural.about.isa,
      value: less.peakBytes / MIB,
      unit: 'MiB',
      percentOfPeak: null,
      naturalPeak: whole.peakBytes / MIB,
      timeRatio,
      timeRatioInterval,
      rounds: rounds.length,
      steady,
      notes: notes.join('; '),
      peers: {},
      ratio: {},
    });
  } finally {
    await Promise.all([natural.close(), held.close()]);
  }
}

export async function run(context, names) {
  for (const threads of context.threadCounts()) {
    for (const item of CASES.filter(({ name }) => names.includes(name))) {
      await measureCase(context, item, threads);
    }
    if (names.includes(HELD.name)) await measureHeld(context, HELD, threads);
  }
}
