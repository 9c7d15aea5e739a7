// SPDX-License-Identifier: Apache-2.0
// The price of a call, on tensors so small that nothing else shows.
import { runCases } from '../harness/run-cases.mjs';

export const summary = 'cost of an instruction, of eager operations on tiny tensors and of a replayed step';

const SIZE = 16;

/** Case name → what is called. */
const OPERATIONS = {
  instruction: 'fill', // one instruction into a tensor that is there
  'relu/no-grad': 'relu', // an operation that is not recorded, and the end of its result
  'relu/recorded': 'relu recorded', // the same with a node for backward, in a scope
  'relu/backward': 'relu sum backward', // two operations and their way back
  'replay/one-layer': 'replay', // a whole captured training step of one linear layer on one image, kernels and all
};

export const caseNames = () => Object.keys(OPERATIONS);

export function run(context, names) {
  const cases = names.map((name) => ({ name, task: { kind: 'overhead', op: OPERATIONS[name], size: SIZE } }));
  return runCases(context, cases, context.threadCounts());
}
