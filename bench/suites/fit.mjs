// SPDX-License-Identifier: Apache-2.0
// Whole trainings: an epoch of MNIST, from the call of `fit` to its result, and many small models by `fitMany` beside the same
// ones trained one after the other.
import { startOurs } from '../harness/contestants.mjs';
import { watchProcessor } from '../harness/machine.mjs';
import { median } from '../harness/statistics.mjs';
import { duration } from '../harness/table.mjs';

export const summary =
  'a whole epoch of MNIST (--data-dir), and 32 models at once against one after the other';

/** There is nothing to compare. */
export const alone = true;

const EPOCH = { name: 'lenet5-mnist-epoch/b64', rounds: 5, task: { do: 'epoch', batchSize: 64 } };

/** A smaller batch leaves a model alone less for a second thread to do, and so more to win side by side. */
const MANY = [1, 8, 16, 32, 64].map((batchSize) => ({
  name: `fitmany-lenet5x32/b${batchSize}`,
  rounds: 3,
  length: batchSize === 1 ? 512 : 2048,
  task: { do: 'many', count: 32, epochs: 1, batchSize },
}));

export const caseNames = () => [EPOCH, ...MANY].map(({ name }) => name);

export async function run(context, names) {
  for (const threads of context.threadCounts()) {
    const worker = await startOurs(threads, 'train.mjs');
    try {
      for (const item of [EPOCH, ...MANY]) {
        if (!names.includes(item.name)) continue;
        const sharesSince = watchProcessor([worker.pid]);
        const figures = await (item === EPOCH
          ? measureEpoch(context, worker)
          : measureMany(context, worker, item));
        if (figures === null) continue;
        const common = { case: item.name, threads, isa: worker.about.isa, unit: 'ms', percentOfPeak: null };
        context.row({ ...common, ...figures, ...sharesSince(), peers: {}, ratio: {} });
      }
    } finally {
      await worker.close();
    }
  }
}

async function measureEpoch(context, worker) {
  if (context.dataDir === undefined) {
    context.note(`${EPOCH.name}: needs MNIST's files; name their folder with --data-dir`);
    return null;
  }
  await worker.request({ do: 'load', dataDir: context.dataDir });
  const results = [];
  for (let round = 0; round < EPOCH.rounds; round++) {
    context.progress(`${EPOCH.name}: round ${round + 1}`);
    results.push(await worker.request(EPOCH.task));
  }
  const speed = median(results.map(({ imagesPerSecond }) => imagesPerSecond));
  return {
    value: median(results.map(({ value }) => value)),
    imagesPerSecond: speed,
    notes: `60,000 images, ${Math.round(speed)} images/s`,
  };
}

/** Both ways in turns. Every model must end with the same weights either way. */
async function measureMany(context, worker, { name, rounds: count, length, task }) {
  await worker.request({ do: 'load', length });
  const rounds = [];
  for (let round = 0; round < count; round++) {
    context.progress(`${name}: round ${round + 1}`);
    const order = round % 2 === 0 ? [true, false] : [false, true];
    const results = new Map();
    for (const isTogether of order) {
      results.set(isTogether, await worker.request({ ...task, isTogether }));
    }
    const [together, oneByOne] = [results.get(true), results.get(false)];
    const differing = together.hashes.filter((hash, i) => hash !== oneByOne.hashes[i]).length;
    if (differing > 0) throw new Error(`${differing} models of fitMany differ from those trained alone`);
    rounds.push({ value: together.value, alone: oneByOne.value });
  }
  const value = median(rounds.map((round) => round.value));
  const oneByOne = median(rounds.map((round) => round.alone));
  const share = median(rounds.map((round) => round.value / round.alone));
  return {
    value,
    oneByOne,
    share,
    notes: `one after the other ${duration(oneByOne)}: ${share.toFixed(2)} of the time, the same weights`,
  };
}
