// SPDX-License-Identifier: Apache-2.0
// How long the event loop is held while `fit` trains in the same process, beside the same process idle.
import { startOurs } from '../harness/contestants.mjs';
import { watchProcessor } from '../harness/machine.mjs';
import { duration } from '../harness/table.mjs';
import { NETS } from '../nets.mjs';

export const summary = 'event-loop delay while fit() trains, beside an idle process';

const CASES = [['lenet5', 64]].map(([model, batch]) => ({
  name: `${model}/b${batch}`,
  task: { net: NETS[model], batch },
}));

/** There is nothing to compare. */
export const alone = true;

export const caseNames = () => CASES.map(({ name }) => name);

const text = ({ p50, p99, max }) => `p50 ${duration(p50)}, p99 ${duration(p99)}, max ${duration(max)}`;

export async function run(context, names) {
  const seconds = context.quick ? 2 : 6;
  for (const threads of context.threadCounts()) {
    for (const { name, task } of CASES.filter((item) => names.includes(item.name))) {
      const worker = await startOurs(threads, 'latency.mjs');
      const sharesSince = watchProcessor([worker.pid]);
      try {
        context.progress(`${name}: idle`);
        const idle = await worker.request({ do: 'idle', seconds });
        context.progress(`${name}: fit`);
        const busy = await worker.request({ do: 'fit', task, seconds });
        context.row({
          case: name,
          threads,
          isa: worker.about.isa,
          value: busy.loop.p99,
          unit: 'ms',
          percentOfPeak: null,
          loop: busy.loop,
          timer: busy.timer,
          idle,
          imagesPerSecond: busy.imagesPerSecond,
          ...sharesSince(),
          peers: {},
          ratio: {},
          notes: `loop delay ${text(busy.loop)}; timer late p99 ${duration(busy.timer.p99)}; idle loop p99 ${duration(idle.loop.p99)}, timer p99 ${duration(idle.timer.p99)}; ${Math.round(busy.imagesPerSecond)} images/s`,
        });
      } finally {
        await worker.close();
      }
    }
  }
}
