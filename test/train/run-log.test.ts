// SPDX-License-Identifier: Apache-2.0
// What a training writes down while it goes on: whole lines, each once, whatever ends it.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { type FitOptions, fit, nn, optim } from '../../lib/index.js';
import { temporaryName } from '../../lib/io/temporary-name.js';
import { refusedLater } from '../helpers/refused.js';
import { halves, linearModel } from './tiny.js';

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  return { ...real, appendFile: vi.fn(real.appendFile) };
});

const place = mkdtempSync(join(tmpdir(), 'receptive-log-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const data = halves(32);
const SETTINGS: FitOptions = { epochs: 4, batchSize: 4, optimizer: 'sgd', lr: 0.1, validation: halves(8) };

const linesOf = (dir: string, name: string) => {
  const text = readFileSync(join(dir, name), 'utf8');
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
};
const configOf = (dir: string) => JSON.parse(readFileSync(join(dir, 'config.json'), 'utf8'));

describe('the log of a training', () => {
  it('has its configuration before the first step, and a line for each epoch and each point of the curve', async () => {
    using model = linearModel();
    const dir = join(place, 'deep', 'run');
    const seen: unknown[] = [];
    const onBatch = () => {
      if (seen.length === 0) seen.push(configOf(dir).lr, configOf(dir).steps, linesOf(dir, 'history.jsonl'));
    };
    const loss = new nn.CrossEntropyLoss();
    const log = { dir, config: { model: 'linear', lr: 'mine' } };
    const result = await fit(model, data, { ...SETTINGS, loss, onBatch, log, metrics: ['f1'] });
    expect(seen).toEqual(['mine', undefined, []]);
    expect(linesOf(dir, 'history.jsonl')).toEqual(result.history);
    expect(linesOf(dir, 'curve.jsonl')).toEqual(result.curve);
    expect(result.curve).toHaveLength(32);
    expect(configOf(dir)).toMatchObject({
      ...{ version: expect.stringMatching(/^\d/), node: process.versions.node, isa: expect.any(String) },
      ...{ model: 'linear', loss: 'CrossEntropyLoss', epochs: 4, batchSize: 4, metrics: ['f1'] },
      ...{
        steps: 32,
        stopped: false,
        seconds: expect.any(Number),
        started: expect.stringMatching(/^20.*Z$/),
      },
    });
    expect(Object.keys(configOf(dir))).not.toContain('validation');
  });

  it('grows with every epoch', async () => {
    using model = linearModel();
    const dir = join(place, 'growing');
    const counts: number[] = [];
    const onEpoch = async () => {
      const { epoch } = await vi.waitFor(() => {
        const rows = linesOf(dir, 'history.jsonl');
        expect(rows.length).toBe(counts.length + 1);
        return rows.at(-1);
      });
      counts.push(epoch);
    };
    await fit(model, data, { ...SETTINGS, onEpoch, log: { dir } });
    expect(counts).toEqual([1, 2, 3, 4]);
  });

  it('has each line once when the training goes on, also where it was ahead of the checkpoint or cut', async () => {
    const dir = join(place, 'resumed');
    const options = {
      ...SETTINGS,
      log: { dir },
      checkpoint: { dir: join(dir, 'checkpoints'), everySteps: 3 },
    };
    const ending = new AbortController();
    const onBatch = ({ step }: { step: number }) => step === 19 && ending.abort();
    using first = linearModel();
    await fit(first, data, { ...options, onBatch, signal: ending.signal });
    expect(configOf(dir)).toMatchObject({ steps: 19, stopped: true });
    expect(linesOf(dir, 'history.jsonl')).toHaveLength(2);
    expect(linesOf(dir, 'curve.jsonl')).toHaveLength(19);
    // What a process that was killed after its last checkpoint leaves
    appendFileSync(join(dir, 'history.jsonl'), '{"epoch":3,"loss":1}\n{"epoch":4,"lo');
    appendFileSync(join(dir, 'curve.jsonl'), '{"epoch":2.5}\n');
    writeFileSync(join(dir, '.history.jsonl.tmp-1-0123456789ab'), 'half');
    using second = linearModel();
    const result = await fit(second, data, { ...options, resume: true });
    expect(result.resumedAt).toBe(19);
    expect(linesOf(dir, 'history.jsonl')).toEqual(result.history);
    expect(linesOf(dir, 'history.jsonl').map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(linesOf(dir, 'curve.jsonl')).toEqual(result.curve);
    expect(result.curve).toHaveLength(32);
    expect(configOf(dir)).toMatchObject({ steps: 32, stopped: false });
    expect(existsSync(join(dir, '.history.jsonl.tmp-1-0123456789ab'))).toBe(false);
  });

  it('begins anew with another training', async () => {
    const dir = join(place, 'again');
    for (const epochs of [3, 1]) {
      using model = linearModel();
      await fit(model, data, { ...SETTINGS, epochs, log: { dir } });
    }
    expect(linesOf(dir, 'history.jsonl').map(({ epoch }) => epoch)).toEqual([1]);
  });

  it('warns once where lines cannot be written, goes on, and has them all when they can', async () => {
    const dir = join(place, 'full');
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    let failures = 0;
    vi.mocked(appendFile).mockImplementation(async (path, text) => {
      failures += 1;
      appendFileSync(path as string, String(text).slice(0, 5)); // a part arrives
      throw Object.assign(new Error('ENOSPC: planted, write'), { code: 'ENOSPC', syscall: 'write' });
    });
    using model = linearModel();
    const result = await fit(model, data, { ...SETTINGS, log: { dir } });
    expect(failures).toBeGreaterThan(0);
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/^log: .*planted.*the disk is full.*\[ERR_FILE\]$/), 'LogWarning'],
    ]);
    expect(linesOf(dir, 'history.jsonl')).toEqual(result.history);
    expect(linesOf(dir, 'curve.jsonl')).toEqual(result.curve);
  });

  it('takes away what killed writers have left in its folder, and nothing of living ones', async () => {
    using model = linearModel();
    const dir = join(place, 'shared');
    mkdirSync(dir);
    const living = temporaryName(join(dir, 'set.pack'));
    const dead = living.replace(/tmp-\d+-/, 'tmp-4194999-'); // beyond the numbers that Linux gives
    for (const file of [living, dead]) writeFileSync(file, '');
    await fit(model, data, { ...SETTINGS, log: { dir } });
    expect([existsSync(living), existsSync(dead)]).toEqual([true, false]);
  });

  it('is not written by a training that is only tried', async () => {
    using model = linearModel();
    const dir = join(place, 'tried');
    await fit(model, data, { ...SETTINGS, log: { dir }, fastDevRun: true });
    expect(existsSync(dir)).toBe(false);
  });

  it.each<[string, unknown, string]>([
    ['a path alone', 'runs', 'ERR_ARGUMENT'],
    ['no folder', { dir: '' }, 'ERR_ARGUMENT'],
    ['an unknown option', { dir: place, folder: place }, 'ERR_ARGUMENT'],
    ['a list for a configuration', { dir: place, config: [1] }, 'ERR_ARGUMENT'],
    ['a configuration that has no end', { dir: place, config: { optim, big: 1n } }, 'ERR_ARGUMENT'],
    ['a file for a folder', { dir: join(place, 'file', 'run') }, 'ERR_FILE'],
  ])('is refused: %s', async (_, log, code) => {
    writeFileSync(join(place, 'file'), '');
    using model = linearModel();
    const before = model.parameters().map((parameter) => [...parameter.data()]);
    expect((await refusedLater(fit(model, data, { ...SETTINGS, log: log as never }))).code).toBe(code);
    expect(model.parameters().map((parameter) => [...parameter.data()])).toEqual(before);
  });
});
