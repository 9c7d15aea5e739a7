// SPDX-License-Identifier: Apache-2.0
// Memory of a process that trains: the most that was ever resident, and what ours holds natively. A fresh process for
// every contestant, and no search for a variant, which would leave its own marks.
import { startOurs } from '../harness/contestants.mjs';
import { startPeers } from '../harness/run-cases.mjs';
import { NETS } from '../nets.mjs';

export const summary = 'peak resident memory of a training process';

const CASES = [
  ['lenet5', 64],
  ['vgg-cifar', 64],
  ['resnet18-cifar', 32],
  ['resnet20-cifar', 128],
].map(([model, batch]) => ({
  name: `${model}/b${batch}`,
  task: { kind: 'step', net: NETS[model], batch },
}));

const TRAIN_MS = 2000;

export const caseNames = () => CASES.map(({ name }) => name);

/** Trains for a while in the first variant and reads the memory. */
async function measure(worker, task) {
  const { rss: before } = await worker.request({ do: 'memory' });
  const { variants } = await worker.request({ do: 'variants', task });
  await worker.request({ do: 'prepare', task, variant: variants[0] });
  await worker.request({ do: 'block', ms: TRAIN_MS });
  return { before, variant: variants[0], ...(await worker.request({ do: 'memory' })) };
}

export async function run(context, names) {
  for (const threads of context.threadCounts()) {
    for (const { name, task } of CASES.filter((item) => names.includes(item.name))) {
      const workers = [await startOurs(threads), ...(await startPeers(context, threads))];
      try {
        const [ours, ...peers] = workers;
        context.progress(`${name}: receptive`);
        const own = await measure(ours, task);
        const row = {
          case: name,
          threads,
          isa: ours.about.isa,
          value: own.peakRss,
          unit: 'MiB',
          percentOfPeak: null,
          beforeRss: own.before,
          nativePeak: own.nativePeak,
          notes: `native ${own.nativePeak.toFixed(1)} MiB, ${own.before.toFixed(0)} MiB before the net`,
          peers: {},
          ratio: {},
        };
        for (const peer of peers) {
          context.progress(`${name}: ${peer.name}`);
          const { peakRss, before, variant } = await measure(peer, task);
          row.peers[peer.name] = { value: peakRss, version: peer.about.version, variant, beforeRss: before };
          row.ratio[peer.name] = peakRss / own.peakRss;
        }
        context.row(row);
      } finally {
        await Promise.all(workers.map((worker) => worker.close()));
      }
    }
  }
}
