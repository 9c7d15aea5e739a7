// SPDX-License-Identifier: Apache-2.0
// Convolutions: each shape's three passes. Rows of an algorithm that was asked for name it, beside the case and in
// `algorithm`.
import { runCases } from '../harness/run-cases.mjs';
import { CONV_SHAPES, convFlops } from '../shapes.mjs';

export const summary = 'convolutions S1 to S16, each as forward, grad_input, grad_weight';

const PASSES = ['forward', 'grad_input', 'grad_weight'];

const CASES = CONV_SHAPES.flatMap((shape) =>
  PASSES.map((pass) => ({
    name: `${shape.name}/${pass}`,
    task: { kind: 'conv', pass, shape },
    flops: convFlops(shape),
    error: true,
  })),
);

export const caseNames = () => CASES.map(({ name }) => name);

export function run(context, names) {
  const { algorithm } = context;
  const ending = algorithm === 'auto' ? '' : ` ${algorithm}`;
  const cases = CASES.filter(({ name }) => names.includes(name)).map((item) => ({
    ...item,
    name: item.name + ending,
    task: { ...item.task, algorithm },
    fields: { algorithm },
  }));
  return runCases(context, cases, context.threadCounts());
}
