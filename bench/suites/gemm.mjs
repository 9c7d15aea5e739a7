// SPDX-License-Identifier: Apache-2.0
// Matrix products, on one thread and on all.
import { runCases } from '../harness/run-cases.mjs';
import { GEMM_SHAPES } from '../shapes.mjs';

export const summary = 'matrix products from 64 cubed to 2048 cubed, and those of real layers';

export const caseNames = () => GEMM_SHAPES.map(({ name }) => name);

export function run(context, names) {
  const cases = GEMM_SHAPES.filter(({ name }) => names.includes(name)).map((shape) => ({
    name: shape.name,
    task: { kind: 'gemm', ...shape },
    flops: 2 * shape.m * shape.n * shape.k,
    error: true,
  }));
  return runCases(context, cases, context.threadCounts({ withOne: true }));
}
