// SPDX-License-Identifier: Apache-2.0
// `receptive train --from` and `--freeze`: a training that begins with the weights of another.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { lastJson, receptive, TINY, temporaryFolder } from './receptive.js';

const cwd = temporaryFolder();
const train = (...args: string[]) => receptive(['train', ...args], cwd);
const GLYPHS = [
  '--data',
  'glyphs',
  '--train-size',
  '256',
  '--test-size',
  '64',
  '--epochs',
  '1',
  '--seed',
  '5',
];

describe('receptive train --from', () => {
  beforeAll(async () => {
    const { status } = await train(...TINY, '--out', 'first');
    expect(status).toBe(0);
  });

  it('begins with the weights of a model, and its network', async () => {
    const { status, stdout, stderr } = await train(
      ...TINY,
      '--from',
      'first/model.safetensors',
      '--out',
      'again',
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^8 tensors of first\/model\.safetensors$/m);
    expect(stdout).toMatch(/^xo on xo/m);
    expect(stdout).not.toContain('frozen');
  });

  it('trains a new last layer alone, and computes features once', async () => {
    const args = [...TINY, '--from', 'first/model.safetensors', '--freeze', '--json'];
    const results = await Promise.all(
      ['1', '2'].map((threads) => train(...args, '--threads', threads, '--out', `frozen${threads}`)),
    );
    const [one, two] = results.map(({ stdout }) => lastJson(stdout));
    expect(one).toMatchObject({ cachedFeatures: { layers: 9 }, notCached: null });
    expect(two.weightsSha256).toBe(one.weightsSha256);
    const { stdout } = await train(
      ...TINY,
      '--from',
      'first/model.safetensors',
      '--freeze',
      '--augment',
      'flip',
      '--out',
      'flipped',
    );
    expect(stdout).toMatch(/^features of frozen layers are computed in every step: augment/m);
  });

  it('says which tensors are new where the classes are others', async () => {
    const { status, stdout } = await train(...GLYPHS, '--out', 'glyphs');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^lenet5 on glyphs/m);
    const other = await train(
      ...TINY,
      '--model',
      'lenet5',
      '--from',
      'glyphs/model.safetensors',
      '--out',
      'other',
    );
    expect(other.status).toBe(0);
    expect(other.stdout).toMatch(/^\d tensors of glyphs\/model\.safetensors; new: .*fc3\.weight/m);
  });

  it('trains what could not be loaded, such as a layer for other images', async () => {
    const args = ['--model', 'xo', '--from', 'first/model.safetensors', '--freeze', '--out', 'fashion'];
    const { status, stdout } = await train(...GLYPHS, ...args);
    expect(status).toBe(0);
    expect(stdout).toMatch(/; new: fc1\.weight \[32, 784\].*fc2\.bias/m);
    expect(stdout).toMatch(/^features of 7 frozen layers computed once/m);
  });

  it('refuses to freeze what was never trained', async () => {
    const { status, stderr } = await train(...TINY, '--freeze', '--out', 'refused');
    expect(status).toBe(2);
    expect(stderr).toMatch(/^receptive: --freeze: expected a trained network, --from FILE/);
  });

  it('refuses files that are none', async () => {
    writeFileSync(join(cwd, 'text'), 'no weights');
    for (const from of ['text', 'missing', '.']) {
      const { status, stderr } = await train(...TINY, '--from', from, '--out', 'refused');
      expect(status).toBe(1);
      expect(stderr).toMatch(/^receptive: .*(text|missing|\.)/);
      expect(stderr).not.toContain('unexpected error');
    }
  });
});
