// SPDX-License-Identifier: Apache-2.0
// What the processor can do at best: independent multiply-adds in registers, for each instruction set.
import { startOurs } from '../harness/contestants.mjs';
import { watchProcessor } from '../harness/machine.mjs';
import { bootstrapInterval, median } from '../harness/statistics.mjs';

export const summary = 'arithmetic peak in GFLOP/s, for each instruction set';

const PROBE_MS = 60;

/** There is nothing to compare. */
export const alone = true;

export const caseNames = () => ['fma'];

export async function run(context) {
  for (const threads of context.threadCounts({ withOne: true })) {
    const ours = await startOurs(threads);
    try {
      for (const isa of ours.about.supportedIsas) {
        const sharesSince = watchProcessor([ours.pid]);
        const values = [];
        for (let i = 0; i < context.plan.rounds; i++) {
          context.progress(`${isa}, ${threads} threads: round ${i + 1}`);
          values.push((await ours.request({ do: 'peak', ms: PROBE_MS, isa })).value);
        }
        const value = median(values);
        context.row({
          case: 'fma',
          threads,
          isa,
          value,
          unit: 'GFLOP/s',
          percentOfPeak: null,
          interval: bootstrapInterval(values),
          rounds: values.length,
          ...sharesSince(),
          peers: {},
          ratio: {},
        });
      }
    } finally {
      await ours.close();
    }
  }
}
