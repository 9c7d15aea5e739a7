// SPDX-License-Identifier: Apache-2.0
// What the system can do to checkpoints: the k-th call that writes, syncs or renames fails, for every k, once or from then on.
// No checkpoint is lost, and the training goes on or ends as it was told. And what a disk can do: every bit of one, every length.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type CheckpointReport,
  crossEntropy,
  type FitOptions,
  fit,
  type HistoryRow,
  ReceptiveError,
  scale,
  type Tensor,
  weightsSha256,
} from '../../lib/index.js';
import { readSealed } from '../../lib/io/sealed-file.js';
import { CheckpointFolder } from '../../lib/train/checkpoint-folder.js';
import { bytesSource } from '../helpers/bytes-source.js';
import { fault, plant } from '../helpers/faulty-disk.js';
import { refusedLater } from '../helpers/refused.js';
import { halves, linearModel } from './tiny.js';

vi.mock('node:fs/promises', async (original) =>
  (await import('../helpers/faulty-disk.js')).faultyDisk(await original()),
);

const place = mkdtempSync(join(tmpdir(), 'receptive-faults-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
afterEach(() => {
  fault.at = 0;
});

const data = halves(16);
const BEGUN = join(place, 'begun');
const NAME = 'step-000000004.safetensors';
let wanted = '';

async function train(dir: string, options: FitOptions = {}) {
  using model = linearModel();
  const checkpoint = { dir, everySteps: 2, ...options.checkpoint };
  const settings = { epochs: 2, batchSize: 4, optimizer: 'sgd', lr: 0.1, resume: true } as const;
  const { steps } = await fit(model, data, { onCheckpoint: () => {}, ...settings, ...options, checkpoint });
  return { hash: weightsSha256(model), steps };
}

beforeAll(async () => {
  await train(BEGUN, { epochs: 1 });
  for (const name of readdirSync(BEGUN)) if (name !== NAME) rmSync(join(BEGUN, name));
  wanted = (await train(join(place, 'whole'))).hash;
});

/** Goes on with a training of which call `at` fails; false where there were not so many calls. */
async function withFault(at: number, code: string, forever: boolean, stops: boolean): Promise<boolean> {
  const dir = join(place, `${code}-${at}-${forever}-${stops}`);
  cpSync(BEGUN, dir, { recursive: true });
  const failed: CheckpointReport[] = [];
  const onCheckpoint = (report: CheckpointReport) => report.event === 'failed' && failed.push(report);
  const checkpoint = { dir, everySteps: 2, onFailure: stops ? 'stop' : 'warn' } as const;
  plant(at, code, forever);
  let error: unknown;
  const result = await train(dir, { checkpoint, onCheckpoint }).catch((thrown) => {
    error = thrown;
  });
  const { fired } = fault;
  fault.at = 0;
  const isFailure = fired > 0 && code !== 'short';
  expect(failed.length > 0, `call ${at}`).toBe(isFailure);
  for (const report of failed) expect(report.message).toMatch(/^checkpoint: .*it was planted.*\[ERR_FILE\]$/);
  if (isFailure && stops) {
    expect(error).toBeInstanceOf(ReceptiveError);
    expect((error as ReceptiveError).code).toBe('ERR_FILE');
  } else {
    expect(error).toBeUndefined();
    expect(result).toEqual({ hash: wanted, steps: 8 });
  }
  expect(readdirSync(dir).filter((name) => !/^step-\d{9}\.safetensors$/.test(name))).toEqual([]);
  const damaged: string[] = [];
  const newest = await new CheckpointFolder(dir).newest(({ path }) => damaged.push(path));
  expect([damaged, (newest?.step ?? 0) >= 4]).toEqual([[], true]);
  expect((await train(dir)).hash).toBe(wanted);
  rmSync(dir, { recursive: true });
  return fired > 0;
}

describe('a training whose checkpoints cannot be written', () => {
  const cases = ['ENOSPC', 'EIO'].flatMap((code) =>
    [false, true].flatMap((forever) => [false, true].map((stops) => [code, forever, stops] as const)),
  );
  it.each([...cases, ['short', false, true] as const])(
    '%s at any call, for ever %s, stops %s',
    async (code, forever, stops) => {
      let at = 1;
      while (await withFault(at, code, forever, stops)) at += 1;
      expect(at).toBeGreaterThan(8); // a header, four tensors, two syncs and a rename at least
    },
  );

  it('is one whose writes are all short as little as any', async () => {
    expect(await withFault(1, 'short', true, true)).toBe(true);
  });
});

it('the best checkpoint stays when a better one cannot be written', async () => {
  const dir = join(place, 'best');
  using model = linearModel();
  let step = 0;
  // The second epoch is better than the first, all others are worse
  const factors = [1, 0.5, 2, 2, 2];
  const loss = (outputs: Tensor, labels: Tensor) =>
    scale(crossEntropy(outputs, labels), factors[Math.floor(step++ / 4)]);
  const events: string[] = [];
  const onCheckpoint = (report: CheckpointReport) => events.push(`${report.event} ${report.step}`);
  const onEpoch = async ({ epoch }: HistoryRow) => {
    await vi.waitFor(() => expect(events).toHaveLength(epoch - 1));
    if (epoch === 2) plant(1, 'ENOSPC', false);
  };
  const checkpoint = { dir, everySteps: 4, best: 'loss', keep: 2 } as const;
  const kept = { checkpoint, onCheckpoint, onEpoch };
  const settings = { epochs: 5, batchSize: 4, optimizer: 'sgd', lr: 1e-6, capture: false } as const;
  const { history } = await fit(model, data, { ...settings, ...kept, loss });
  const losses = history.map((row) => row.loss);
  expect(losses[1]).toBeLessThan(losses[0]);
  expect(Math.min(...losses.slice(2))).toBeGreaterThan(losses[0]);
  expect(events.slice(0, 4)).toEqual(['saved 4', 'failed 8', 'saved 12', 'saved 16']);
  expect(readdirSync(dir)).toEqual(
    [4, 16, 20].map((steps) => `step-0000000${steps < 10 ? '0' : ''}${steps}.safetensors`),
  );
});

describe('a damaged checkpoint', () => {
  const whole = () => readFileSync(join(BEGUN, NAME));
  const read = (bytes: Uint8Array) => readSealed(bytesSource(bytes), NAME);

  it('of any length is refused', async () => {
    const bytes = whole();
    expect(bytes.length).toBeGreaterThan(1500);
    expect(bytes.length).toBeLessThan(8000);
    expect((await read(bytes)).tensors.size).toBe(4);
    for (let length = 0; length < bytes.length; length++) {
      const error = await refusedLater(read(bytes.subarray(0, length)));
      if (error.code !== 'ERR_DATA' || !error.op.includes(NAME)) throw error;
    }
    expect((await refusedLater(read(Buffer.concat([bytes, Buffer.of(0)])))).code).toBe('ERR_DATA');
  });

  it('with any single bit changed is refused', async () => {
    const bytes = whole();
    let count = 0;
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      const error = await refusedLater(read(bytes));
      if (error.code === 'ERR_DATA' && error.op.includes(NAME)) count += 1;
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
    expect(count).toBe(8 * bytes.length);
    expect((await read(bytes)).tensors.size).toBe(4);
  });

  it('is refused by a training, with its name', async () => {
    const dir = join(place, 'damaged');
    cpSync(BEGUN, dir, { recursive: true });
    const bytes = whole();
    for (const byte of [0, 9, 40, 200, bytes.length >> 1, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[byte] ^= 4;
      writeFileSync(join(dir, NAME), changed);
      const error = await refusedLater(train(dir));
      expect([error.code, error.op.includes(join(dir, NAME))]).toEqual(['ERR_DATA', true]);
    }
  });
});
