// SPDX-License-Identifier: Apache-2.0
// Peers without any of them: both ends of the protocol, settings that need processes of their own, and what is said
// where one is not installed.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareBestVariant } from '../../bench/harness/compare.mjs';
import { missingLine, PEERS } from '../../bench/harness/contestants.mjs';
import { Peer } from '../../bench/harness/peer.mjs';
import { Worker } from '../../bench/harness/worker.mjs';
import { NETS } from '../../bench/nets.mjs';

const bench = fileURLToPath(new URL('../../bench/', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'bench-peers-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const IN_NODE = `
import { checkParameters, servePeer, unsupported } from ${JSON.stringify(path.join(bench, 'peers/protocol.mjs'))};
servePeer(async () => {
  console.log('a banner');
  return {
    name: 'tiny', version: '1.2', variants: () => ['fast', 'slow'],
    async prepare({ kind, net }, variant) {
      if (kind === 'juggle') throw unsupported('no task juggle');
      if (kind === 'break') throw new Error('broken');
      checkParameters(net, 10);
      return () => new Promise((resolve) => setTimeout(resolve, variant === 'fast' ? 5 : 20));
    },
  };
});`;

const IN_PYTHON = `
import sys, time
sys.path.insert(0, ${JSON.stringify(path.join(bench, 'peers'))})
from protocol import Server, check_parameters, unsupported

class Tiny:
    name, version = "tiny", "1.2"
    def variants(self, task): return ["fast", "slow"]
    def prepare(self, task, variant):
        if task["kind"] == "juggle": raise unsupported("no task juggle")
        if task["kind"] == "break": raise RuntimeError("broken")
        check_parameters(task["net"], 10)
        return lambda: time.sleep(0.005 if variant == "fast" else 0.02)

def load():
    print("a banner")
    return Tiny()

Server(load).run()
`;

describe.each([
  ['protocol.mjs', 'tiny.mjs', IN_NODE, process.execPath, ''],
  ['protocol.py', 'tiny.py', IN_PYTHON, 'python3', 'RuntimeError: '],
])('%s', (_name, file, text, command, kindOfError) => {
  const net = { model: 'net', parameters: 10 };
  const task = { kind: 'step', net };
  let worker: Worker | undefined;
  beforeAll(async () => {
    if (spawnSync(command, ['--version']).status !== 0) return;
    const script = path.join(folder, file);
    writeFileSync(script, text);
    worker = await Worker.start('tiny', command, [script]);
  });
  afterAll(() => worker?.close());

  it('greets, and keeps what a library prints out of its replies', ({ skip }) => {
    if (worker === undefined) return skip();
    expect(worker.about).toEqual({ name: 'tiny', version: '1.2' });
  });

  it('prepares, warms up and times', async ({ skip }) => {
    if (worker === undefined) return skip();
    expect(await worker.request({ do: 'variants', task })).toEqual({ variants: ['fast', 'slow'] });
    const { ms } = await worker.request({ do: 'prepare', task, variant: 'fast' });
    expect(ms).toBeGreaterThan(4);
    expect((await worker.request({ do: 'block', ms: 20 })).value).toBeGreaterThan(4);
    expect(await prepareBestVariant(worker, task, 10)).toEqual({ variant: 'fast', isSlow: false });
    const { rss, peakRss } = await worker.request({ do: 'memory' });
    expect(rss).toBeGreaterThan(1);
    expect(peakRss).toBeGreaterThanOrEqual(rss);
  });

  it('times at least so many calls', async ({ skip }) => {
    if (worker === undefined) return skip();
    await worker.request({ do: 'prepare', task, variant: 'slow' });
    const timeOf = async (calls?: number) => {
      const start = performance.now();
      await worker?.request({ do: 'block', ms: 1, calls });
      return performance.now() - start;
    };
    expect(await timeOf()).toBeGreaterThan(39); // two
    expect(await timeOf(5)).toBeGreaterThan(99);
    const times = [await timeOf(1), await timeOf(1), await timeOf(1)];
    expect(Math.min(...times)).toBeLessThan(39);
  });

  it.each([
    [{ do: 'juggle' }, 'unsupported', 'no request juggle'],
    [{ do: 'error', images: 2 }, 'unsupported', /^no /],
    [{ do: 'prepare', task: { kind: 'juggle' }, variant: 'fast' }, 'unsupported', 'no task juggle'],
    [{ do: 'prepare', task: { kind: 'break' }, variant: 'fast' }, 'failed', `${kindOfError}broken`],
    [
      { do: 'prepare', task: { kind: 'step', net: { ...net, parameters: 11 } }, variant: 'fast' },
      'failed',
      'net has 10 parameters here instead of 11',
    ],
  ])('refuses %j as %s', async (request, reason, message) => {
    if (worker === undefined) return;
    const answer = expect.objectContaining({ reason, message: expect.stringMatching(message) });
    await expect(worker.request(request)).rejects.toEqual(answer);
  });
});

describe('settings of a process', () => {
  const script = () => path.join(folder, 'settings.mjs');
  beforeAll(() => {
    writeFileSync(
      script(),
      `import { serve } from ${JSON.stringify(path.join(bench, 'workers/serve.mjs'))};
      let prepared;
      const ms = () => Number(process.env.TIME) * (prepared === 'b' ? 2 : 1);
      serve({
        hello: () => ({ version: process.env.TIME }),
        variants: () => ({ variants: ['a', 'b'] }),
        prepare({ variant }) { prepared = variant; return { ms: ms() }; },
        block: () => ({ value: ms() }),
        who: () => ({ time: process.env.TIME, common: process.env.COMMON, prepared }),
      });`,
    );
  });
  const started = () =>
    Peer.start('set', { command: process.execPath, args: [script()], env: { COMMON: 'yes', TIME: '9' } }, [
      { name: '', env: {} },
      { name: 'quick', env: { TIME: '1' } },
      { name: 'single', env: { TIME: '0.5' }, fits: ({ batch }: { batch: number }) => batch === 1 },
    ]);

  it('are variants, tried where they fit, in processes that start when they are needed', async () => {
    const peer = await started();
    expect([peer.about, peer.pids.length]).toEqual([{ version: '9' }, 1]);
    expect(await peer.request({ do: 'variants', task: { batch: 64 } })).toEqual({
      variants: ['a', 'b', 'a, quick', 'b, quick'],
    });
    expect(peer.pids).toHaveLength(1);
    expect(await prepareBestVariant(peer, { batch: 64 }, 1)).toMatchObject({ variant: 'a, quick' });
    expect(await peer.request({ do: 'who' })).toEqual({ time: '1', common: 'yes', prepared: 'a' });
    expect(await prepareBestVariant(peer, { batch: 1 }, 1)).toMatchObject({ variant: 'a, single' });
    expect(peer.pids).toHaveLength(3);
    await peer.close();
  });
});

describe('a peer of npm that is not installed', () => {
  /** The peers' programs where no package can be found. */
  beforeAll(() => {
    const bare = path.join(folder, 'bare');
    for (const part of ['peers', 'workers']) {
      mkdirSync(path.join(bare, part), { recursive: true });
      for (const name of readdirSync(path.join(bench, part)).filter((name) => name.endsWith('.mjs'))) {
        cpSync(path.join(bench, part, name), path.join(bare, part, name));
      }
    }
    cpSync(path.join(bench, 'nets.mjs'), path.join(bare, 'nets.mjs'));
  });

  it.each([
    ['tfjs', '@tensorflow/tfjs'],
    ['convnetjs', 'convnetjs'],
    ['jax-js', '@jax-js/jax'],
    ['onnxruntime-node', 'onnxruntime-node'],
  ])('%s is missing, with the line that installs it', async (name, library) => {
    const script = path.join(folder, 'bare', 'peers', path.basename(PEERS[name].script));
    const error = await Worker.start(name, process.execPath, [script]).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: 'missing', message: expect.stringContaining(`'${library}'`) });
    const text = missingLine(name, error.message);
    expect(text).not.toContain('\n');
    expect(text).toMatch(/; install it with: npm ci --ignore-scripts --prefix bench\/peers$/);
  });

  it('stands in a package of its own, apart from the root package', () => {
    const { dependencies } = JSON.parse(readFileSync(path.join(bench, 'peers/package.json'), 'utf8'));
    const lock = JSON.parse(readFileSync(path.join(bench, 'peers/package-lock.json'), 'utf8'));
    const { packages } = JSON.parse(readFileSync(path.join(bench, '../package-lock.json'), 'utf8'));
    expect(lock.packages[''].dependencies).toEqual(dependencies);
    for (const name of Object.keys(dependencies)) expect(packages).not.toHaveProperty(`node_modules/${name}`);
  });
});

describe('PyTorch and TensorFlow', () => {
  it('are tried in settings that can differ', () => {
    const names = (peer: string, threads: number, task: object) =>
      PEERS[peer]
        .settings(threads)
        .filter(({ fits }: { fits?: (task: object) => boolean }) => fits?.(task) ?? true)
        .map(({ name }: { name: string }) => name);
    const step = { kind: 'step', net: NETS.lenet5, batch: 64 };
    expect(names('tensorflow', 2, step)).toEqual(['', 'one node at a time']);
    expect(names('tensorflow', 1, step)).toEqual(['']);
    expect(names('tensorflow', 1, { ...step, batch: 1 })).toEqual(['', 'no oneDNN']);
    expect(names('pytorch', 2, step)).toEqual(['']);
    expect(names('pytorch', 2, { ...step, measures: 'memory' })).toEqual(['', 'heap given back']);
  });
});
