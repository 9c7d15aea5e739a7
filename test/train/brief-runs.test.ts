// SPDX-License-Identifier: Apache-2.0
// Runs that take less time than handing them to another thread are done where they are asked for, and the event loop turns.
import { describe, expect, it } from 'vitest';
import { scale } from '../../lib/index.js';
import { capturePlan } from '../../lib/train/plan.js';

const twice = () => capturePlan(({ x }) => ({ y: scale(x, 2) }), { x: { shape: [4], dtype: 'float32' } });
const x = Float32Array.of(1, 2, 3, 4);
const ONE = { steps: 1, streams: { x } } as const;

/** Runs until a run was over when it was called, as one is sooner or later on a machine that is not overwhelmed. */
async function runUntilHere(plan: ReturnType<typeof twice>, options: object = ONE): Promise<boolean> {
  for (let i = 0; i < 300; i++) {
    const before = plan.stepsDone;
    const run = plan.run({ ...ONE, ...options });
    const isDone = plan.stepsDone > before;
    expect((await run).outputs.y).toEqual(Float32Array.of(2, 4, 6, 8));
    if (isDone) return true;
  }
  return false;
}

describe('a brief run', () => {
  it('is over when it was called, from the second on', async () => {
    using plan = twice();
    const first = plan.run(ONE);
    expect(plan.stepsDone).toBe(0); // nothing is known of its time
    await first;
    expect(await runUntilHere(plan)).toBe(true);
    expect(await runUntilHere(plan, { priority: 'background' })).toBe(false);
    expect(await runUntilHere(plan, { cpuShare: 0.9 })).toBe(false);
  });

  it('tells of its steps, and of what its listener throws', async () => {
    using plan = twice();
    const seen: unknown[] = [];
    const onSteps = (...report: unknown[]) => seen.push(report);
    expect(await runUntilHere(plan, { onSteps })).toBe(true);
    expect(seen).toHaveLength(plan.stepsDone);
    expect(seen.at(-1)).toEqual([0, 1, { y: Float32Array.of(2, 4, 6, 8) }]);
    const done = plan.stepsDone;
    const thrown = new Error('of the listener');
    const refuse = () => {
      throw thrown;
    };
    await expect(plan.run({ ...ONE, onSteps: refuse })).rejects.toBe(thrown);
    expect(plan.stepsDone).toBe(done + 1);
    expect(await plan.run({ ...ONE, signal: AbortSignal.abort() })).toMatchObject({
      steps: 0,
      aborted: true,
    });
  });

  it('lets the event loop turn where one follows another', async () => {
    using plan = twice();
    let turns = 0;
    const turn = setInterval(() => {
      turns += 1;
    }, 1);
    const end = performance.now() + 200;
    while (performance.now() < end) await plan.run(ONE);
    clearInterval(turn);
    expect(turns).toBeGreaterThan(3);
  });

  it('fails as a promise does', async () => {
    const plan = twice();
    await runUntilHere(plan);
    await expect(plan.run({ steps: 1, streams: { x: x.subarray(1) } })).rejects.toMatchObject({
      code: 'ERR_SHAPE',
    });
    plan.dispose();
    await expect(plan.run(ONE)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });
});
