// SPDX-License-Identifier: Apache-2.0
// `receptive profile`: each instruction of a step with its layer, its work and what bounds it.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tableOf } from '../../lib/cli/profile.js';
import { createModel, manualSeed, memory, saveWeights, setNumThreads } from '../../lib/index.js';
import { nativeInfo } from '../../lib/native/bindings.js';
import { type Profile, profileTraining } from '../../lib/train/profile.js';
import { hintFor } from '../../lib/train/profile-roofline.js';
import { lastJson, receptive, temporaryFolder } from './receptive.js';

const cwd = temporaryFolder();

function profiled(name: string, batch: number): Profile {
  manualSeed(1);
  const { model, inputShape, classes } = createModel(name);
  const [height, width, channels] = inputShape;
  const profile = profileTraining(model, [height, width, channels], classes, batch);
  model.dispose();
  return profile;
}

describe('profileTraining', () => {
  it('tells layer, pass, operations and bytes of each instruction, and leaves nothing behind', () => {
    const before = memory().tensors;
    const { rows, stepUs, sumUs, peakGflops, peakGbPerSecond } = profiled('lenet5', 4);
    expect(memory().tensors).toBe(before);
    const find = (layer: string, op: string) => rows.filter((row) => row.layer === layer && row.op === op);
    const [conv] = find('conv2', 'conv2d_forward');
    expect(conv).toMatchObject({ pass: 'forward', flops: 2 * 4 * 10 * 10 * 16 * 25 * 6 });
    expect(conv.bytes).toBe(4 * (4 * 10 * 10 * 16 + 4 * 14 * 14 * 6 + 16 * 25 * 6 + 16));
    expect(conv.algorithm).not.toBe('');
    // A quarter of the outputs win in their window; nobody asks for the gradient of images
    const [conv1, conv2] = ['conv1', 'conv2'].map((layer) => find(layer, 'conv2d_winner_gradients'));
    expect(conv2).toMatchObject([{ pass: 'backward', flops: conv.flops / 2 }]);
    expect(conv1).toMatchObject([{ pass: 'backward', flops: (2 * 4 * 28 * 28 * 6 * 25) / 4 }]);
    expect(find('fc1', 'linear_grad_weight')).toMatchObject([{ pass: 'backward', flops: 2 * 4 * 400 * 120 }]);
    expect(find('loss', 'softmax_cross_entropy')).toMatchObject([{ pass: 'forward', flops: 0 }]);
    expect(find('optimizer', 'sgd_update x10')).toMatchObject([{ pass: 'update' }]);
    for (const { us, share, bound, flops, bytes } of rows) {
      expect(us).toBeGreaterThan(0);
      const least = Math.max(flops / peakGflops, bytes / peakGbPerSecond) / 1e3;
      expect(share).toBeCloseTo(least / us, 6);
      expect(bound).toBe(flops / peakGflops > bytes / peakGbPerSecond ? 'compute' : 'memory');
    }
    expect(sumUs).toBeCloseTo(rows.reduce((sum, { us }) => sum + us, 0));
    expect(stepUs).toBeGreaterThan(sumUs);
  });

  it('names the layers of a network with blocks, and what the planner fused', () => {
    setNumThreads(2);
    const { rows } = profiled('resnet20-cifar', 2);
    setNumThreads(nativeInfo().defaultThreads);
    const layers = new Set(rows.map(({ layer }) => layer));
    for (const layer of ['conv1', 'layer1.0.conv2', 'layer3.2.bn1', 'fc']) expect(layers).toContain(layer);
    expect(layers).not.toContain('');
  });
});

describe('hintFor', () => {
  const row = (op: string, ...numbers: number[]) => ({
    ...{ op, numbers, origin: 0, ms: 1, bytes: 1e6, algorithm: '', updates: 1 },
  });
  const known = {
    layer: '',
    op: '',
    pass: 'forward',
    us: 1000,
    flops: 1,
    bytes: 1e6,
    gflops: 1,
    gbPerSecond: 1,
  } as const;
  const of = (shown: ReturnType<typeof row>, share: number, bound: 'compute' | 'memory', us = 1000) =>
    hintFor(shown, { ...known, share, bound, us, algorithm: '' });

  it('gives the plain reason', () => {
    const conv = (batch: number, inC: number) => row('conv2d_forward', batch, 32, 32, inC, 8, 8, 64, 3, 3);
    expect(of(conv(32, 64), 0.9, 'compute')).toBe('');
    expect(of(conv(32, 3), 0.2, 'compute')).toBe('few channels: 3 in, 64 out');
    expect(of(conv(1, 64), 0.2, 'compute')).toBe('small batch: 64 pixels');
    expect(of(row('linear_forward', 2, 300, 200), 0.2, 'memory')).toBe('small batch: 2 rows');
    expect(of(row('relu_forward'), 0.8, 'memory')).toBe('bandwidth bound');
    expect(of(row('relu_forward'), 3, 'memory')).toBe('in the caches');
    expect(of(row('relu_forward'), 0.2, 'memory', 2)).toMatch(/^short/);
  });
});

describe('receptive profile', () => {
  it('prints one JSON object, sorted by time where asked', async () => {
    const args = [
      'profile',
      '--model',
      'xo',
      '--batch-size',
      '4',
      '--threads',
      '1',
      '--sort',
      'time',
      '--json',
    ];
    const { status, stdout } = await receptive(args, cwd);
    expect(status).toBe(0);
    const { rows, totals, ...rest } = lastJson(stdout) as {
      rows: { us: number }[];
      totals: Record<string, number>;
    };
    expect(rest).toMatchObject({ model: 'xo', batchSize: 4, threads: 1, inputShape: [24, 24, 1] });
    const times = rows.map(({ us }) => us);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect(Object.keys(totals)).toEqual(['forward', 'backward', 'update', 'rest']);
  });

  it('prints a table that keeps to the width', async () => {
    const { status, stdout } = await receptive(['profile', '--model', 'xo', '--batch-size', '4'], cwd);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^conv1 +conv2d_forward +[\d.,]+ +[\d.]+ % /m);
    expect(stdout).toMatch(/^step +[\d,]+ µs$/m);
    const { rows, stepUs } = profiled('lenet5', 2);
    for (const width of [80, 140]) {
      const lines = tableOf(rows, stepUs, width);
      expect(lines).toHaveLength(rows.length + 1);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      expect(lines[0].includes('hint')).toBe(width === 140);
    }
  });

  it('profiles a saved model, with the input and the classes that its file tells', async () => {
    manualSeed(1);
    const classNames = ['rose', 'tulip', 'daisy'];
    const { model } = createModel('xo', { inputShape: [16, 16, 1], classes: 3 });
    const path = join(cwd, 'flowers.safetensors');
    await saveWeights(model, path, { metadata: { model: 'xo', inputShape: [16, 16, 1], classNames } });
    model.dispose();
    const { status, stdout } = await receptive(
      ['profile', '--model', path, '--batch-size', '3', '--json'],
      cwd,
    );
    expect(status).toBe(0);
    const { rows, ...rest } = lastJson(stdout) as { rows: { layer: string; op: string; flops: number }[] };
    expect(rest).toMatchObject({ model: 'xo', batchSize: 3, inputShape: [16, 16, 1] });
    const [conv] = rows.filter(({ layer, op }) => layer === 'conv1' && /^conv2d_(forward|max)/.test(op));
    expect(conv.flops).toBeGreaterThan(0);
    const missing = await receptive(['profile', '--model', join(cwd, 'nowhere.safetensors')], cwd);
    expect(missing.status).toBe(1);
    expect(missing.stderr).toMatch(/nowhere\.safetensors.*\[ERR_FILE\]/);
  });

  it('refuses a model that there is none of', async () => {
    const { status, stderr } = await receptive(['profile', '--model', 'lenet6'], cwd);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^receptive: profile: .*lenet5/);
  });
});
