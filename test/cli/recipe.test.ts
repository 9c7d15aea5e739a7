// SPDX-License-Identifier: Apache-2.0
// `--recipe airbench` and the options that it sets, each of which can be set otherwise; `--tta` of eval and predict.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readMetadata } from '../../lib/io/metadata.js';
import { lastJson, receptive, temporaryFolder } from './receptive.js';

const cwd = temporaryFolder();
const SMALL = ['--data', 'xo', '--train-size', '96', '--test-size', '24', '--epochs', '2', '--seed', '5'];
const train = (...args: string[]) => receptive(['train', ...SMALL, ...args], cwd);

describe('receptive train --recipe airbench', () => {
  it('says what it sets, and trains', async () => {
    const { status, stdout, stderr } = await train('--recipe', 'airbench', '--batch-size', '32');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^airbench94 on xo: /m);
    expect(stdout).toMatch(/sgd, lr 0\.04688, triangular {2}· {2}batch 32/);
    expect(stdout).toMatch(
      /^recipe airbench {2}· {2}momentum 0\.85 {2}· {2}nesterov {2}· {2}weight decay 0\.00133 {2}· {2}norms lr x 64 {2}· {2}label smoothing 0\.2 {2}· {2}lookahead 5 {2}· {2}tta mirror-shift$/m,
    );
    expect((await readMetadata(join(cwd, 'runs/airbench94-xo/model.safetensors'))).model).toBe('airbench94');
  });

  it('can be set otherwise, option by option, and goes on to the same bits', async () => {
    const own = [
      ...['--recipe', 'airbench', '--batch-size', '48', '--lr', '0.01', '--momentum', '0.5', '--no-nesterov'],
      ...[
        '--norm-lr',
        '2',
        '--label-smoothing',
        '0',
        '--lookahead',
        '3',
        '--tta',
        'none',
        '--schedule',
        'cosine',
      ],
    ];
    const whole = await train(...own, '--out', 'whole', '--json');
    expect(whole.stderr).toMatch(/sgd, lr 0\.01, cosine/);
    expect(whole.stderr).toMatch(
      /^recipe airbench {2}· {2}momentum 0\.5 {2}· {2}weight decay 0\.00133 {2}· {2}norms lr x 2 {2}· {2}label smoothing 0 {2}· {2}lookahead 3$/m,
    );
    const { weightsSha256 } = lastJson(whole.stdout) as { weightsSha256: string };
    const kept = await train(...own, '--out', 'kept', '--checkpoint-every', '3', '--json');
    const again = await train(...own, '--out', 'kept', '--resume', '--json');
    for (const run of [kept, again]) expect(lastJson(run.stdout)).toMatchObject({ weightsSha256 });
  });

  it('is for its own network', async () => {
    const { status, stderr } = await train('--recipe', 'airbench', '--model', 'xo');
    expect(status).toBe(2);
    expect(stderr).toMatch(/--recipe: expected a network of airbench .* received xo/);
  });

  it.each([
    ['--recipe', 'airbensh', /airbench/],
    ['--norm-lr', '0', /above 0/],
    ['--label-smoothing', '1', /below 1/],
    ['--lookahead', '0', /at least 1/],
    ['--tta', 'all', /none, mirror, mirror-shift/],
  ])('refuses %s %s', async (flag, value, said) => {
    const { status, stderr } = await train(flag, value);
    expect(status).toBe(2);
    expect(stderr).toMatch(said);
  });
});

describe('--tta', () => {
  it('is an option of eval, too', async () => {
    await train('--out', 'plain', '--quiet');
    const measured = async (...args: string[]) => {
      const run = await receptive(
        ['eval', 'plain/model.safetensors', '--test-size', '24', '--json', ...args],
        cwd,
      );
      return (lastJson(run.stdout) as { testLoss: number }).testLoss;
    };
    const losses = [
      await measured(),
      await measured('--tta', 'mirror'),
      await measured('--tta', 'mirror-shift'),
    ];
    expect(new Set(losses).size).toBe(3);
    expect(await measured('--tta', 'none')).toBe(losses[0]);
  });
});
