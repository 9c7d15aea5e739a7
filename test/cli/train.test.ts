// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readMetadata } from '../../lib/io/metadata.js';
import { lastJson, receptive, start, TINY, temporaryFolder } from './receptive.js';

const cwd = temporaryFolder();
const train = (...args: string[]) => receptive(['train', ...TINY, ...args], cwd);

describe('receptive train', () => {
  it('reports, saves, and draws', async () => {
    const { status, stdout, stderr } = await train();
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^xo \(chosen for this data\) on xo: 19,906 parameters, 256 training and 64 test images$/m,
    );
    expect(stdout).toMatch(/^epoch 1\/2 {2}loss \d\.\d{4} .* % {2}test .* images\/s/m);
    expect(stdout).toMatch(/^epoch 2\/2 /m);
    expect(stdout).toMatch(/^test accuracy \d+\.\d\d %, loss \d/m);
    expect(stdout).toMatch(/^ +X +\d+/m);
    expect(stdout).toContain('saved runs/xo-xo/model.safetensors');
    expect(stdout).not.toContain('\u001b');
    expect(readdirSync(join(cwd, 'runs/xo-xo')).sort()).toEqual([
      ...['config.json', 'confusion.svg', 'curve.jsonl', 'curves.svg', 'history.jsonl', 'model.safetensors'],
      'report.html',
    ]);
    const report = readFileSync(join(cwd, 'runs/xo-xo/report.html'), 'utf8');
    expect(report.match(/<img src="data:/g)).toHaveLength(24);
    expect(report).toMatch(/<title>xo on xo<\/title>/);
    const history = readFileSync(join(cwd, 'runs/xo-xo/history.jsonl'), 'utf8').trimEnd().split('\n');
    expect(history.map((line) => JSON.parse(line).epoch)).toEqual([1, 2]);
    expect(JSON.parse(readFileSync(join(cwd, 'runs/xo-xo/config.json'), 'utf8'))).toMatchObject({
      ...{ model: 'xo', data: 'xo', epochs: 2, optimizer: 'adamw', schedule: 'cosine', seed: 1, steps: 8 },
    });
    expect(readFileSync(join(cwd, 'runs/xo-xo/curves.svg'), 'utf8')).toMatch(/^<svg/);
    expect(await readMetadata(join(cwd, 'runs/xo-xo/model.safetensors'))).toMatchObject({
      model: 'xo',
      inputShape: [24, 24, 1],
      classNames: ['X', 'O'],
      normalization: { mean: [0.127], std: [0.249] },
      extra: { data: 'xo', seed: '1' },
    });
  });

  it('says that it draws, where that takes a while', async () => {
    const args = ['train', '--data', 'xo', '--train-size', '1000', '--test-size', '64', '--epochs', '1'];
    const { stdout } = await receptive([...args, '--out', 'drawn'], cwd);
    expect(stdout).toMatch(/^drawing 1,064 pictures: xo\n/);
    const { status, stdout: json, stderr } = await receptive([...args, '--out', 'drawn2', '--json'], cwd);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^drawing 1,064 pictures: xo$/m);
    expect(json.trimEnd().split('\n').length).toBe(1);
    const quiet = await receptive([...args, '--out', 'drawn3', '--quiet'], cwd);
    expect(quiet.stdout).not.toContain('drawing');
  });

  it('ends standard output with one JSON object, and the same weights for any number of threads', async () => {
    const results = await Promise.all(
      ['1', '2', '3'].map((threads) => train('--json', '--threads', threads, '--out', `t${threads}`)),
    );
    const rows = results.map(({ status, stdout, stderr }, i) => {
      expect(status).toBe(0);
      expect(stdout.trimEnd().split('\n').length).toBe(1);
      expect(stderr).toMatch(/^epoch 2\/2/m);
      const row = lastJson(stdout);
      expect(row).toMatchObject({
        testAccuracy: expect.any(Number),
        testLoss: expect.any(Number),
        epochs: 2,
        seconds: expect.any(Number),
        imagesPerSecond: expect.any(Number),
        threads: i + 1,
        isa: expect.stringMatching(/^(scalar|avx2|avx512|neon)$/),
        weightsSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        model: `t${i + 1}/model.safetensors`,
      });
      expect(existsSync(join(cwd, row.model as string))).toBe(true);
      return row;
    });
    expect(new Set(rows.map((row) => row.weightsSha256)).size).toBe(1);
    expect(new Set(rows.map((row) => row.testLoss)).size).toBe(1);
    const other = lastJson((await train('--json', '--seed', '2', '--out', 's2')).stdout);
    expect(other.weightsSha256).not.toBe(rows[0].weightsSha256);
  });

  it('says only the result with --quiet', async () => {
    const { stdout } = await train('--quiet', '--out', 'quiet');
    expect(stdout.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^test accuracy /),
      expect.stringMatching(/^trained in /),
      expect.stringMatching(/^saved quiet\/model.safetensors/),
    ]);
  });

  it('uses colours where they are asked for, and never against NO_COLOR', async () => {
    const args = ['train', ...TINY, '--out', 'colors'];
    const [forced, refused] = await Promise.all([
      receptive(args, cwd, { FORCE_COLOR: '1' }),
      receptive(args, cwd, { FORCE_COLOR: '1', NO_COLOR: '1' }),
    ]);
    expect(forced.stdout).toContain('\u001b[');
    expect(refused.stdout).not.toContain('\u001b');
  });

  it('can be used with every optimizer and schedule', async () => {
    const cases = [
      ['--optimizer', 'sgd', '--momentum', '0.5', '--weight-decay', '0.001', '--schedule', 'constant'],
      ['--optimizer', 'adam', '--lr', '0.002', '--clip-norm', '1', '--warmup', '3'],
      ['--optimizer', 'rmsprop', '--momentum', '0.5', '--schedule', 'one-cycle', '--ema', '0.9'],
      ['--optimizer', 'lion', '--schedule', 'plateau', '--clip-value', '0.1'],
    ];
    for (const [i, args] of cases.entries()) {
      const { status, stdout } = await train('--json', '--out', `o${i}`, ...args);
      expect({ status, epochs: lastJson(stdout).epochs }).toEqual({ status: 0, epochs: 2 });
    }
  });
});

describe('receptive train, stopped', () => {
  it.each([
    ['SIGINT', 130, 'test', []],
    ['SIGTERM', 143, 'validation', ['--validation', '0.1']],
  ] as const)('saves after %s and exits with %i', async (signal, code, watched, more) => {
    const args = ['train', '--data', 'xo', '--train-size', '2000', '--epochs', '100000', '--out', signal];
    const running = start([...args, ...more, '--test-size', '64', '--json'], cwd);
    await running.says(/^epoch +2\//m);
    running.child.kill(signal);
    const { status, stdout, stderr } = await running.finished;
    expect(status).toBe(code);
    expect(stderr).toContain('stopping after this step; press Ctrl-C again to quit at once');
    expect(stderr).toMatch(new RegExp(`^stopped after \\d+ steps, last ${watched} accuracy`, 'm'));
    const row = lastJson(stdout);
    expect(row).toMatchObject({ stopped: true, testAccuracy: null, model: `${signal}/model.safetensors` });
    expect(row.epochs).toBeGreaterThanOrEqual(2);
    const evaluated = await receptive(['eval', `${signal}/model.safetensors`, '--json'], cwd);
    expect(lastJson(evaluated.stdout).weightsSha256).toBe(row.weightsSha256);
    expect(readdirSync(join(cwd, signal))).not.toContain('confusion.svg');
  });

  it('leaves nothing where nothing was trained', async () => {
    const running = start(['train', '--train-size', '1000000', '--out', 'early/run'], cwd);
    await new Promise((resolve) => setTimeout(resolve, 700)); // it draws for a minute
    running.child.kill('SIGINT');
    const { status, stderr } = await running.finished;
    expect(status).toBe(130);
    expect(stderr).toContain('receptive: stopped before there was anything to save');
    expect(existsSync(join(cwd, 'early'))).toBe(false);
  });

  it('ends with one line where numbers are not finite any more, and leaves a good model alone', async () => {
    expect((await train('--out', 'kept')).status).toBe(0);
    const file = join(cwd, 'kept/model.safetensors');
    const good = readFileSync(file);
    // In the middle of an epoch, and in the very last step, which no step comes after
    for (const more of [[], ['--train-size', '64', '--epochs', '1']]) {
      const { status, stdout, stderr } = await train('--out', 'kept', '--lr', '1e9', '--json', ...more);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      const lines = stderr.split('\n').filter((line) => line.startsWith('receptive: '));
      expect(lines).toEqual([expect.stringMatching(/expected a finite loss.*\[ERR_NUMERICS\]$/)]);
      expect(readFileSync(file).equals(good)).toBe(true);
    }
    expect(readdirSync(join(cwd, 'kept'))).toHaveLength(7);
  });
});
