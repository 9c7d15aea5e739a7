// SPDX-License-Identifier: Apache-2.0
// Inference: one forward pass without gradients on a batch in memory.
import { runCases } from '../harness/run-cases.mjs';
import { inferFlops, NETS } from '../nets.mjs';

export const summary = 'forward passes without gradients';

const CASES = Object.entries(NETS).flatMap(([model, net]) =>
  [1, 64].map((batch) => ({
    name: `${model}/b${batch}`,
    task: { kind: 'infer', net, batch },
    flops: inferFlops(net, batch),
  })),
);

export const caseNames = () => CASES.map(({ name }) => name);

export function run(context, names) {
  const cases = CASES.filter(({ name }) => names.includes(name));
  return runCases(context, cases, context.threadCounts());
}
