// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  measureOnce,
  prepareBestVariant,
  runRounds,
  summarize,
  summarizeRatio,
  undisturbed,
  unrest,
} from '../../bench/harness/compare.mjs';
import { missingLine, startPeer } from '../../bench/harness/contestants.mjs';
import { Worker } from '../../bench/harness/worker.mjs';

const serve = new URL('../../bench/workers/serve.mjs', import.meta.url).href;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'bench-worker-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A contestant whose variants take the times given, in ms; it writes down the order of requests. */
function contestant(name: string, times: Record<string, number>): Promise<Worker> {
  const file = path.join(folder, `${name}.mjs`);
  writeFileSync(
    file,
    `import { Refusal, serve } from ${JSON.stringify(serve)};
    const times = ${JSON.stringify(times)};
    let variant;
    const log = [];
    serve({
      hello: () => ({ version: '1.0' }),
      variants: () => ({ variants: Object.keys(times) }),
      prepare(request) {
        if (times[request.variant] === null) throw new Error('broken'); // NaN, as JSON has it
        if (times[request.variant] < 0) throw new Refusal('unsupported', 'cannot');
        variant = request.variant;
        return { ms: times[variant] };
      },
      block: ({ ms }) => { log.push(ms); return { value: times[variant] }; },
      peak: () => ({ value: 100 }),
      log: () => ({ log, variant }),
      die: () => { console.error('last words'); process.exit(3); },
    });`,
  );
  return Worker.start(name, process.execPath, [file]);
}

describe('Worker', () => {
  it('answers, refuses what it does not know, and survives that', async () => {
    const worker = await contestant('polite', { a: 1 });
    expect(worker.about).toEqual({ version: '1.0' });
    await expect(worker.request({ do: 'juggle' })).rejects.toMatchObject({
      reason: 'unsupported',
      message: 'no request juggle',
    });
    expect(await worker.request({ do: 'peak' })).toEqual({ value: 100 });
    await worker.close();
  });

  it('reports the end of its process with the last words', async () => {
    const worker = await contestant('mortal', { a: 1 });
    await expect(worker.request({ do: 'die' })).rejects.toMatchObject({
      reason: 'failed',
      message: 'process of mortal ended (3): last words',
    });
    await expect(worker.request({ do: 'peak' })).rejects.toMatchObject({ reason: 'failed' });
    await worker.close();
  });
});

describe('measuring', () => {
  it('takes the fastest variant that works', async () => {
    const worker = await contestant('choosy', { slow: 3, fast: 1, broken: -1, middle: 2 });
    expect(await prepareBestVariant(worker, {}, 10)).toEqual({ variant: 'fast', isSlow: false });
    expect(await worker.request({ do: 'log' })).toMatchObject({ variant: 'fast' });
    await worker.close();
  });

  it('takes the fastest wherever it stands', async () => {
    for (const times of [
      { fast: 1, slow: 9 },
      { slow: 9, fast: 1 },
      { middle: 3, fast: 1, slow: 9 },
    ]) {
      const worker = await contestant('anywhere', times);
      expect(await prepareBestVariant(worker, {}, 10)).toMatchObject({ variant: 'fast' });
      await worker.close();
    }
  });

  it('leaves out a variant that fails, and says which, or throws', async () => {
    const worker = await contestant('brittle', { breaks: Number.NaN, works: 5 });
    const failed: string[] = [];
    const found = await prepareBestVariant(worker, {}, 10, (variant: string) => failed.push(variant));
    expect([found.variant, failed]).toEqual(['works', ['breaks']]);
    await expect(prepareBestVariant(worker, {}, 10)).rejects.toMatchObject({ reason: 'failed' });
    await worker.close();
  });

  it('throws where no variant works', async () => {
    const worker = await contestant('useless', { a: -1, b: -1 });
    await expect(prepareBestVariant(worker, {}, 10)).rejects.toMatchObject({ message: 'cannot' });
    await worker.close();
  });

  it('tries what takes seconds no further, and measures it in one call', async () => {
    const worker = await contestant('snail', { only: 4000 });
    expect(await prepareBestVariant(worker, {}, 10)).toEqual({ variant: 'only', isSlow: true });
    expect(await measureOnce(worker)).toBe(4000);
    expect(await worker.request({ do: 'log' })).toMatchObject({ log: [1] });
    await worker.close();
  });

  it('gives the ratio of the times, and the share of the peak beside it', async () => {
    const ours = await contestant('ours', { only: 2 });
    const theirs = await contestant('theirs', { only: 5 });
    for (const worker of [ours, theirs]) await prepareBestVariant(worker, {}, 1);
    const plan = { rounds: 4, blockMs: 7, probeMs: 1, trialMs: 1, othersLimit: 100 };
    const { rounds, steady } = await runRounds([ours, theirs], ours, plan);
    expect(steady).toBe(true);
    expect(rounds).toHaveLength(4);
    expect(summarizeRatio(rounds, 'ours', 'theirs')).toEqual({ ratio: 2.5, interval: [2.5, 2.5] });
    // 1e8 operations in 2 ms are 50 GFLOP/s, half of what the probe gave
    expect(summarize(rounds, 'ours', 1e8)).toMatchObject({
      value: 2,
      gflops: 50,
      percentOfPeak: 50,
      peak: 100,
    });
    expect(await theirs.request({ do: 'log' })).toMatchObject({ log: [7, 7, 7, 7] });
    await Promise.all([ours.close(), theirs.close()]);
  });
});

describe('undisturbed', () => {
  it('drops rounds beside others, and rounds whose probe moved', () => {
    const round = (others: number, ...probes: number[]) => ({ others, probes, values: {} });
    const rounds = [round(0, 100, 99), round(40, 100, 100), round(4, 101, 100), round(0, 80, 100)];
    expect(undisturbed(rounds, 5)).toEqual([rounds[0], rounds[2]]);
    expect(undisturbed(rounds, 50)).toEqual([rounds[0], rounds[1], rounds[2]]);
    expect(unrest(rounds, 12.3)).toBe('unsteady machine: its peak moved by 21 %, other processes took 12 %');
  });
});

describe('a peer that is not installed', () => {
  const pythonVariables = ['RECEPTIVE_PEER_PYTHON', 'RECEPTIVE_PEER_PYTHON_TENSORFLOW'];

  it.each(['pytorch', 'tensorflow'])('%s is missing, with the line that installs it', async (name) => {
    const before = pythonVariables.map((variable) => process.env[variable]);
    for (const variable of pythonVariables) process.env[variable] = path.join(folder, 'no-python');
    try {
      await startPeer(name, 1);
      expect.unreachable('it started');
    } catch (error) {
      expect(error).toMatchObject({ reason: 'missing', message: expect.stringContaining('ENOENT') });
      const text = missingLine(name, (error as Error).message);
      expect(text).toMatch(
        /^peer \w+ is missing \(.*no-python.*\); install it with: python3 -m pip install /,
      );
      expect(text).not.toContain('\n');
    } finally {
      pythonVariables.forEach((variable, i) => {
        if (before[i] === undefined) delete process.env[variable];
        else process.env[variable] = before[i];
      });
    }
  });

  it('is missing, too, where Python is there and the library is not', async (context) => {
    const python = spawnSync('python3', ['-S', '-c', 'import sys; print(sys.executable)'], {
      encoding: 'utf8',
    });
    if (python.status !== 0) return context.skip();
    // -I -S: a Python without any installed package
    const bare = path.join(folder, 'bare-python');
    writeFileSync(bare, `#!/bin/sh\nexec ${python.stdout.trim()} -S "$@"\n`, { mode: 0o755 });
    const script = fileURLToPath(new URL('../../bench/peers/pytorch.py', import.meta.url));
    expect(existsSync(script)).toBe(true);
    await expect(Worker.start('pytorch', bare, [script])).rejects.toMatchObject({
      reason: 'missing',
      message: "No module named 'torch'",
    });
  });
});
