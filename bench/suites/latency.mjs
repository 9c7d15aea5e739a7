// SPDX-License-Identifier: Apache-2.0
// How a server fares while `fit` trains in its process, beside the same process idle: delay of the event loop, times of HTTP
// requests, of fs.readFile and of crypto.pbkdf2. With all cores but one, and with all.
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
const PROBES = ['http', 'readFile', 'pbkdf2'];

/** What may be exceeded by nothing, with a core left to others: in ms, beside the same process idle. */
function limitsOf(busy, idle) {
  const beside = (name, least = 0) => Math.max(1.5 * idle[name].p99, least);
  return [
    { name: 'loop p99', value: busy.loop.p99, limit: 10 },
    { name: 'loop max', value: busy.loop.max, limit: 50 },
    { name: 'http p99', value: busy.http.p99, limit: beside('http', 25) },
    { name: 'readFile p99', value: busy.readFile.p99, limit: beside('readFile') },
    { name: 'pbkdf2 p99', value: busy.pbkdf2.p99, limit: beside('pbkdf2') },
  ].map((line) => ({ ...line, met: line.value <= line.limit }));
}

const verdict = ({ name, value, limit, met }) =>
  `${name} ${duration(value)} of ${duration(limit)}${met ? '' : ' MISSED'}`;

export async function run(context, names) {
  const seconds = context.quick ? 3 : 60;
  for (const threads of context.threadCounts({ withSpare: true })) {
    for (const { name, task } of CASES.filter((item) => names.includes(item.name))) {
      const worker = await startOurs(threads, 'latency.mjs');
      const sharesSince = watchProcessor([worker.pid]);
      try {
        context.progress(`${name}: idle`);
        const idle = await worker.request({ do: 'idle', seconds });
        context.progress(`${name}: fit`);
        const busy = await worker.request({ do: 'fit', task, seconds });
        const limits = limitsOf(busy, idle);
        context.row({
          case: name,
          threads,
          isa: worker.about.isa,
          value: busy.loop.p99,
          unit: 'ms',
          percentOfPeak: null,
          loop: busy.loop,
          timer: busy.timer,
          ...Object.fromEntries(PROBES.map((probe) => [probe, busy[probe]])),
          idle,
          limits,
          imagesPerSecond: busy.imagesPerSecond,
          ...sharesSince(),
          peers: {},
          ratio: {},
          notes: [
            `loop delay ${text(busy.loop)} (idle p99 ${duration(idle.loop.p99)})`,
            `timer late p99 ${duration(busy.timer.p99)} (idle ${duration(idle.timer.p99)})`,
            ...limits.map(verdict),
            `${Math.round(busy.imagesPerSecond)} images/s`,
          ].join('; '),
        });
      } finally {
        await worker.close();
      }
    }
  }
}
