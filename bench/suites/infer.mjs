// SPDX-License-Identifier: Apache-2.0
// Inference: one forward pass without gradients on a batch in memory.
import { runCases } from '../harness/run-cases.mjs';
import { inferFlops, NETS } from '../nets.mjs';

export const summary = 'forward passes without gradients';

const CASES = [
  ...['lenet5', 'vgg-cifar', 'resnet18-cifar'].flatMap((model) =>
    [1, 64].map((batch) => inferCase(model, batch)),
  ),
  inferCase('resnet20-cifar', 128),
];

function inferCase(model, batch) {
  const net = NETS[model];
  return {
    name: `${model}/b${batch}`,
    task: { kind: 'infer', net, batch },
    flops: inferFlops(net, batch),
    error: true,
  };
}

export const caseNames = () => CASES.map(({ name }) => name);

export function run(context, names) {
  const cases = CASES.filter(({ name }) => names.includes(name));
  return runCases(context, cases, context.threadCounts());
}
