// SPDX-License-Identifier: Apache-2.0
// Training steps: forward, loss, backward and update (SGD with momentum 0.9) on a batch in memory. Where the
// time of a step goes: `receptive profile`.
import { runCases } from '../harness/run-cases.mjs';
import { NETS, stepFlops } from '../nets.mjs';

export const summary = 'whole training steps';

/** Each operation as it is called: what a captured step gains. */
export const beside = ['eager'];

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

export function run(context, names) {
  const cases = CASES.filter(({ name }) => names.includes(name));
  const peers = context.peers.filter((name) => !beside.includes(name));
  return runCases({ ...context, peers }, cases, context.threadCounts(), { beside });
}
