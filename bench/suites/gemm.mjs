// SPDX-License-Identifier: Apache-2.0
// Matrix products, on one thread and on all; besides, on one thread, with the vectors of 8 that a machine with longer ones has,
// too: where both have the same peak, their shares of it tell how good either kernel is.
import { startOurs } from '../harness/contestants.mjs';
import { runCases } from '../harness/run-cases.mjs';
import { GEMM_SHAPES } from '../shapes.mjs';

export const summary = 'matrix products from 64 cubed to 2048 cubed, and those of real layers';

export const caseNames = () => GEMM_SHAPES.map(({ name }) => name);

const NARROW = 'avx2';

async function hasNarrow() {
  const worker = await startOurs(1);
  await worker.close();
  return worker.about.isa !== NARROW && worker.about.supportedIsas.includes(NARROW);
}

export async function run(context, names) {
  const cases = GEMM_SHAPES.filter(({ name }) => names.includes(name)).map((shape) => ({
    name: shape.name,
    task: { kind: 'gemm', ...shape },
    flops: 2 * shape.m * shape.n * shape.k,
    error: true,
  }));
  await runCases(context, cases, context.threadCounts({ withOne: true }));
  if (await hasNarrow()) await runCases({ ...context, peers: [] }, cases, [1], { isa: NARROW });
}
