// SPDX-License-Identifier: Apache-2.0
// Inference: one forward pass without gradients on a batch in memory.
import { runCases } from '../harness/run-cases.mjs';
import { inferFlops, NETS } from '../nets.mjs';

export const summary = 'forward passes without gradients';

const CASES = ['lenet5', 'vgg-cifar', 'resnet18-cifar'].flatMap((model) =>
  [1, 64].map((batch) => ({
    name: `${model}/b${batch}`,
    task: { kind: 'infer', net: NETS[model], batch },
    flops: inferFlops(NETS[model], batch),
    error: true,
  })),
);

export const caseNames = () => CASES.map(({ name }) => name);

export function run(context, names) {
  const cases = CASES.filter(({ name }) => names.includes(name));
  return runCases(context, cases, context.threadCounts());
}
