// SPDX-License-Identifier: Apache-2.0
// The price of a call, on tensors so small that nothing else shows.
import { runCases } from '../harness/run-cases.mjs';
import { duration } from '../harness/table.mjs';
import { NETS } from '../nets.mjs';

export const summary = 'cost of an instruction, of eager operations on tiny tensors and of a replayed step';

const SIZE = 16;

/** Case name → what is called. */
const OPERATIONS = {
  instruction: 'fill', // one instruction into a tensor that is there
  'relu/no-grad': 'relu', // an operation that is not recorded, and the end of its result
  'relu/recorded': 'relu recorded', // the same with a node for backward, in a scope
  'relu/backward': 'relu sum backward', // two operations and their way back
  'replay/one-layer': 'replay', // a whole captured training step of one linear layer on one image, kernels and all
  'run/one-layer': 'run', // the same as a run of its own, from the call of plan.run to its promise
  'run/lenet5-b1': 'run', // the same of LeNet-5
};

/** A replayed step may cost so much over its kernels' time. */
const LIMIT_MS = 15e-3;

const replayWords = ({ kernels, over }) =>
  `kernels ${duration(kernels)}, over them ${duration(over)} (limit ${duration(LIMIT_MS)}${over > LIMIT_MS ? ', MISSED' : ''})`;
const runWords = ({ kernels, over, sync }) =>
  `kernels ${duration(kernels)}, over them ${duration(over)}; runSync ${duration(sync)}`;
const WORDS = { replay: replayWords, run: runWords };

export const caseNames = () => Object.keys(OPERATIONS);

export function run(context, names) {
  const cases = names.map((name) => {
    const op = OPERATIONS[name];
    const net = name.endsWith('lenet5-b1') ? NETS.lenet5 : undefined;
    return { name, task: { kind: 'overhead', op, size: SIZE, net }, split: WORDS[op] };
  });
  return runCases(context, cases, context.threadCounts());
}
