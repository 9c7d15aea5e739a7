// SPDX-License-Identifier: Apache-2.0
// Training steps: forward, loss, backward and update (SGD with momentum 0.9) on a batch in memory. With --profile, the
// instructions of a step instead, one by one.
import { startOurs } from '../harness/contestants.mjs';
import { watchProcessor } from '../harness/machine.mjs';
import { printProfile } from '../harness/profile-table.mjs';
import { runCases } from '../harness/run-cases.mjs';
import { NETS, stepFlops } from '../nets.mjs';

export const summary = 'whole training steps; --profile shows where the time of ours goes';

const CASES = [
  stepCase('lenet5', 1),
  stepCase('lenet5', 64),
  stepCase('lenet5', 256),
  stepCase('vgg-cifar', 64),
  stepCase('resnet18-cifar', 32),
  stepCase('resnet20-cifar', 128),
];

function stepCase(model, batch) {
  const net = NETS[model];
  return {
    name: `${model}/b${batch}`,
    task: { kind: 'step', net, batch },
    flops: stepFlops(net, batch),
    error: true,
  };
}

export const caseNames = () => CASES.map(({ name }) => name);

export async function run(context, names) {
  const cases = CASES.filter(({ name }) => names.includes(name));
  if (!context.profile) {
    const peers = ['eager', ...context.peers.filter((name) => name !== 'eager')];
    return runCases({ ...context, peers }, cases, context.threadCounts());
  }
  for (const threads of context.threadCounts()) {
    for (const item of cases) await profileCase(context, item, threads);
  }
}

/** About this long is profiled. */
const PROFILE_MS = 2000;

async function profileCase(context, { name, task }, threads) {
  const ours = await startOurs(threads);
  try {
    context.progress(`${name}: profile`);
    await ours.request({ do: 'prepare', task, variant: 'eager' });
    const sharesSince = watchProcessor([ours.pid]);
    const { value: peak } = await ours.request({ do: 'peak', ms: 50 });
    const { value: ms } = await ours.request({ do: 'block', ms: context.plan.blockMs });
    const profile = await ours.request({ do: 'profile', steps: Math.max(3, Math.ceil(PROFILE_MS / ms)) });
    printProfile({ name, threads, isa: ours.about.isa, peak, untimedMs: ms, ...profile, ...sharesSince() });
  } finally {
    await ours.close();
  }
}
