// SPDX-License-Identifier: Apache-2.0
// A training that was interrupted goes on to the bits of one that was not: after any step, captured or not, with all that has a
// state. Checkpoints that are damaged, of another training or of another version are refused or passed over.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type CheckpointReport,
  type ErrorCode,
  type FitOptions,
  fit,
  manualSeed,
  memory,
  nn,
  optim,
  type ReceptiveError,
  weightsSha256,
} from '../../lib/index.js';
import { writeAtomically } from '../../lib/io/atomic-file.js';
import { decodeSafetensors } from '../../lib/io/safetensors.js';
import { sealedParts } from '../../lib/io/sealed-file.js';
import { refusedLater } from '../helpers/refused.js';
import { halves, linearModel, someXo } from './tiny.js';

const place = mkdtempSync(join(tmpdir(), 'receptive-resume-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
let dir = '';
let number = 0;
beforeEach(() => {
  number += 1;
  dir = join(place, String(number));
});

const data = someXo(30);
const BATCHES = 4; // of 8 images, and one of 6

/** Running statistics and dropout. */
function stateful(): nn.Module {
  manualSeed(3);
  const [h, w, c] = data.imageShape;
  return new nn.Sequential(
    ...[new nn.Conv2d(c, 2, { kernelSize: 3, padding: 1 }), new nn.BatchNorm2d(2), new nn.ReLU()],
    ...[new nn.MaxPool2d(2), new nn.Dropout(0.3), new nn.Flatten()],
    new nn.Linear((h >> 1) * (w >> 1) * 2, 2),
  );
}

const WAYS: Record<string, () => FitOptions> = {
  'adamw, cosine, averages': () => ({ schedule: 'cosine', warmup: 2, ema: 0.9, clipGradNorm: 1 }),
  'sgd, plateau, validation': () => ({
    ...{ optimizer: 'sgd', momentum: 0.9, validation: data },
    schedule: optim.plateau({ patience: 0, threshold: 0.5 }),
  }),
  'augmented and mixed': () => ({
    augment: [
      { kind: 'flip', alternate: true },
      { kind: 'crop', padding: 2 },
      { kind: 'randaugment' },
      { kind: 'cutmix' },
    ],
  }),
  'augmentation, lion, metrics': () => ({
    ...{ optimizer: 'lion', lr: 1e-3, validation: data, metrics: ['f1'], batchSize: 8 },
    augment: [{ kind: 'flip' }, { kind: 'affine', rotate: 10, translate: 0.1 }, { kind: 'cutout', size: 4 }],
  }),
  'sgd, lookahead, averages': () => ({
    ...{ optimizer: 'sgd', nesterov: true, normLr: 4, schedule: 'triangular', labelSmoothing: 0.1, ema: 0.9 },
    lookahead: { every: 3, alpha: (progress) => 1 - progress, buffers: true },
  }),
  'rmsprop, one-cycle': () => ({ optimizer: 'rmsprop', momentum: 0.5, schedule: 'one-cycle' }),
};

async function train(options: FitOptions = {}) {
  using model = stateful();
  const result = await fit(model, data, { epochs: 3, batchSize: 8, seed: 9, lr: 0.01, ...options });
  const history = result.history.map(({ seconds: _, imagesPerSecond: __, ...row }) => row);
  return { hash: weightsSha256(model), history, curve: result.curve, steps: result.steps, result };
}

async function refused(promise: Promise<unknown>, code: ErrorCode): Promise<ReceptiveError> {
  const error = await refusedLater(promise);
  expect(error.code).toBe(code);
  return error;
}

const stepOf = (name: string) => Number(/^step-(\d+)\.safetensors$/.exec(name)?.[1]);

class Crash extends Error {}

/** Trains up to a step, after which the process might as well be gone. */
async function crashed(step: number, options: FitOptions): Promise<void> {
  const onBatch = (report: { step: number }) => {
    if (report.step === step) throw new Crash();
  };
  await expect(train({ ...options, onBatch })).rejects.toThrow(Crash);
}

describe.each(Object.entries(WAYS))('a training with %s', (_, options) => {
  it.each([true, false])('goes on to the same bits after any step, captured: %s', async (capture) => {
    const { result: __, ...wanted } = await train({ capture, ...options() });
    expect(wanted.steps).toBe(3 * BATCHES);
    for (const every of [1, 3, 5]) {
      for (const last of [2, 5, 8, 11]) {
        const own = join(dir, `${every}-${last}`);
        const checkpoint = { dir: own, everySteps: every };
        await crashed(last, { capture, ...options(), checkpoint });
        const { result, ...found } = await train({ capture, ...options(), checkpoint, resume: true });
        expect(result.resumedAt ?? 0).toBeLessThan(last);
        expect(found).toEqual(wanted);
      }
    }
  });
});

describe('a training that the signal ends', () => {
  it.each([1, BATCHES, BATCHES + 1])('goes on after its last step, number %i', async (last) => {
    const wanted = await train({ ema: 0.9 });
    const ending = new AbortController();
    const checkpoint = { dir };
    const onBatch = ({ step }: { step: number }) => step === last && ending.abort();
    const first = await train({ ema: 0.9, checkpoint, signal: ending.signal, onBatch });
    expect(first.result).toMatchObject({ aborted: true, steps: last, resumedAt: undefined });
    const { hash, result } = await train({ ema: 0.9, checkpoint, resume: true });
    expect(result).toMatchObject({ aborted: false, resumedAt: last });
    expect(hash).toBe(wanted.hash);
    const again = await train({ ema: 0.9, checkpoint, resume: true });
    expect(again.result).toMatchObject({ resumedAt: 3 * BATCHES, steps: 3 * BATCHES });
    expect([again.hash, again.history]).toEqual([hash, wanted.history]);
  });
});

describe('a training that the signal ends before a validation', () => {
  it('asks a plateau once, with the validation', async () => {
    const options = () => ({
      ...{ optimizer: 'sgd' as const, validation: data },
      schedule: optim.plateau({ patience: 0, threshold: 0.5 }),
    });
    const wanted = await train(options());
    const ending = new AbortController();
    const onBatch = ({ step }: { step: number }) => step === 2 * BATCHES && ending.abort();
    const checkpoint = { dir };
    await train({ ...options(), checkpoint, signal: ending.signal, onBatch });
    const { hash, history } = await train({ ...options(), checkpoint, resume: `${dir}/.` });
    expect({ hash, history }).toEqual({ hash: wanted.hash, history: wanted.history });
  });
});

describe('checkpoints', () => {
  const stepsIn = (folder: string) =>
    readdirSync(folder).map((name) => Number(/^step-(\d+)/.exec(name)?.[1]));

  it('are the newest ones and the best', async () => {
    const reports: CheckpointReport[] = [];
    const onCheckpoint = (report: CheckpointReport) => reports.push(report);
    const checkpoint = { dir, everySteps: 1, keep: 3, best: 'accuracy' } as const;
    const { history } = await train({ checkpoint, onCheckpoint, epochs: 5 });
    const best = history.map(({ accuracy }) => accuracy);
    const bestStep = BATCHES * (best.indexOf(Math.max(...best)) + 1);
    const saved = reports.map(({ step }) => step);
    expect(reports.every(({ event }) => event === 'saved')).toBe(true);
    expect(stepsIn(dir)).toEqual(
      [...new Set([bestStep, ...[...new Set(saved)].slice(-3)])].sort((a, b) => a - b),
    );
    expect(saved.at(-1)).toBe(5 * BATCHES);
  });

  it('are written as time passes, and change no bit', async () => {
    const wanted = await train({ epochs: 200 });
    const steps: number[] = [];
    const onCheckpoint = ({ step }: CheckpointReport) => steps.push(step);
    const { hash } = await train({ epochs: 200, checkpoint: { dir, everySeconds: 0.005 }, onCheckpoint });
    expect(hash).toBe(wanted.hash);
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.some((step) => step % BATCHES !== 0)).toBe(true);
  });

  it('of an unfinished training are not written over, those of a finished one are', async () => {
    await crashed(6, { checkpoint: { dir, everySteps: 2 } });
    const error = await refused(train({ checkpoint: { dir } }), 'ERR_FILE');
    expect(error.received).toContain('step-00000000');
    expect(error.hint).toContain('resume');
    await train({ checkpoint: { dir }, resume: true });
    expect((await train({ checkpoint: { dir }, epochs: 1 })).result.resumedAt).toBeUndefined();
    expect(stepsIn(dir)).toEqual([BATCHES]);
  });

  it('can go on in another folder, and for more epochs', async () => {
    await train({ checkpoint: { dir }, epochs: 2 });
    const messages: (string | undefined)[] = [];
    const onCheckpoint = ({ event, message }: CheckpointReport) =>
      event === 'changed' && messages.push(message);
    const checkpoint = { dir: `${dir}-more` };
    const { hash } = await train({ resume: dir, checkpoint, onCheckpoint });
    expect(hash).toBe((await train()).hash);
    expect(messages).toEqual([expect.stringContaining('epochs 3, was 2')]);
  });

  it('leave no tensor behind, and no file where there were none', async () => {
    const before = memory();
    await train({ checkpoint: { dir, everySteps: 2 } });
    await train({ checkpoint: { dir, everySteps: 2 }, resume: true, epochs: 4, onCheckpoint: () => {} });
    expect(memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes });
    expect(readdirSync(dir).filter((name) => name.startsWith('.'))).toEqual([]);
    await train({ resume: join(dir, 'nowhere'), epochs: 1 });
    expect(readdirSync(dir)).not.toContain('nowhere');
  });

  it('take away what a killed process has left unfinished', async () => {
    await train({ checkpoint: { dir } });
    writeFileSync(join(dir, '.step-000000001.safetensors.tmp-1-0123456789ab'), 'half');
    await train({ checkpoint: { dir }, resume: true });
    expect(readdirSync(dir).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('never hold weights that are not finite', async () => {
    using model = linearModel();
    const layer = model.modules().find((module) => module instanceof nn.Linear) as nn.Linear;
    const failed: CheckpointReport[] = [];
    let saved = 0;
    let broken = 0;
    const onCheckpoint = (report: CheckpointReport) => {
      if (report.event === 'saved') saved = report.step;
      else failed.push(report);
    };
    const onBatch = ({ step }: { step: number }) => {
      if (saved === 0 || broken > 0) return;
      layer.weight.write(layer.weight.data().fill(NaN) as Float32Array);
      broken = step; // nothing is being written now, so that the next checkpoint is not left out
    };
    const options = { epochs: 1000, batchSize: 4, checkpoint: { dir, everySteps: 1 } };
    await refused(fit(model, halves(32), { ...options, onCheckpoint, onBatch }), 'ERR_NUMERICS');
    const message = expect.stringMatching(/finite weights, received NaN in model\.1\.weight/);
    expect(failed).toMatchObject([{ event: 'failed', step: broken, message }]);
    expect(Math.max(...stepsIn(dir))).toBe(saved);
  });
});

describe('a checkpoint is refused', () => {
  const attempt = (options: FitOptions = {}) => train({ checkpoint: { dir }, resume: true, ...options });

  it.each<[string, FitOptions, RegExp]>([
    ['with another optimizer', { optimizer: 'sgd' }, /optimizer/],
    ['with averages', { ema: 0.5 }, /averages/],
    ['with a schedule', { schedule: 'cosine' }, /schedule/],
    ['with another batch size', { batchSize: 4 }, /batchSize/],
    ['with another seed', { seed: 10 }, /seed/],
  ])('%s', async (_, options, expected) => {
    await train({ checkpoint: { dir } });
    const error = await refused(attempt(options), 'ERR_DATA');
    expect(error.message).toMatch(expected);
    expect(error.op).toContain(join(dir, 'step-000000012.safetensors'));
  });

  it('of another model and of other data, which changes nothing', async () => {
    await train({ checkpoint: { dir } });
    using model = linearModel();
    const hash = weightsSha256(model);
    const error = await refused(fit(model, halves(30), { resume: dir, batchSize: 8, seed: 9 }), 'ERR_DATA');
    expect(error.received).toContain('xo');
    using other = new nn.Sequential(new nn.Flatten(), new nn.Linear(data.images.length / data.length, 2));
    const options = { resume: dir, batchSize: 8, seed: 9, lr: 0.01, epochs: 3 };
    expect((await refused(fit(other, data, options), 'ERR_DATA')).message).toContain('weight');
    expect(weightsSha256(model)).toBe(hash);
  });

  it.each([
    ['of a newer version', 'version', '2', /version/],
    ['of another format', 'format', 'pt', /format/],
    ['that has no training', 'training', '{', /JSON/],
    ['whose training is none', 'training', '{"progress":[]}', /progress to be an object/],
  ])('%s', async (_, key, value, expected) => {
    await train({ checkpoint: { dir, keep: 2 } });
    const path = join(dir, 'step-000000012.safetensors');
    const { tensors, metadata } = decodeSafetensors(readFileSync(path));
    const changed = new Map([...metadata].filter(([name]) => name !== 'sha256'));
    await writeAtomically('test', path, await sealedParts(tensors, changed.set(key, value)));
    const error = await refused(attempt(), 'ERR_DATA');
    expect(error.expected).toMatch(expected);
    expect(error.op).toContain(path);
  });

  it('where all are damaged; else the one before a damaged one is taken', async () => {
    const wanted = await train({ checkpoint: { dir } });
    const [before, newest] = readdirSync(dir);
    const step = stepOf(before);
    const bytes = readFileSync(join(dir, newest));
    writeFileSync(join(dir, newest), bytes.subarray(0, bytes.length - 1));
    const reports: CheckpointReport[] = [];
    const onCheckpoint = (report: CheckpointReport) => reports.push(report);
    const { hash, result } = await attempt({ onCheckpoint });
    expect([hash, result.resumedAt]).toEqual([wanted.hash, step]);
    expect(reports.slice(0, 2)).toMatchObject([
      { event: 'damaged', path: join(dir, newest), step: 12 },
      { event: 'resumed', path: join(dir, before), step },
    ]);
    const now = readdirSync(dir);
    expect(now).toEqual([expect.any(String), newest, `${newest}.damaged`]);
    for (const name of now.slice(0, 2)) writeFileSync(join(dir, name), 'nothing');
    expect((await refused(attempt({ onCheckpoint }), 'ERR_DATA')).op).toContain(now[0]);
  });

  it.each<[string, FitOptions]>([
    ['no folder', { resume: true }],
    ['no path', { checkpoint: { dir: '' } }],
    ['an unknown option', { checkpoint: { dir: 'x', every: 1 } as never }],
    ['no step', { checkpoint: { dir: 'x', everySteps: 0 } }],
    ['no time', { checkpoint: { dir: 'x', everySeconds: 0 } }],
    ['a single one', { checkpoint: { dir: 'x', keep: 1 } }],
    ['an unknown measurement', { checkpoint: { dir: 'x', best: 'valAcc' as never } }],
    ['a measurement of no validation', { checkpoint: { dir: 'x', best: 'valLoss' } }],
    ['an unknown manner', { checkpoint: { dir: 'x', onFailure: 'ignore' as never } }],
    ['a listener that is none', { onCheckpoint: 'yes' as never }],
    ['a number to resume', { resume: 3 as never }],
  ])('before anything begins: %s', async (_, options) => {
    await refused(train(options), 'ERR_ARGUMENT');
  });

  it('where its folder cannot be', async () => {
    const file = join(place, 'file');
    writeFileSync(file, '');
    await refused(train({ checkpoint: { dir: join(file, 'inside') } }), 'ERR_FILE');
    await refused(train({ resume: file }), 'ERR_FILE');
  });
});
