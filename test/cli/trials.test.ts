// SPDX-License-Identifier: Apache-2.0
// `receptive train` with what is done before the real training, and with what ends it early.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lastJson, receptive, TINY, temporaryFolder } from './receptive.js';

const cwd = temporaryFolder();
const train = (...args: string[]) => receptive(['train', ...TINY, ...args], cwd);

describe('receptive train, tried', () => {
  it('--estimate says what it will cost, and leaves nothing', async () => {
    const { status, stdout } = await train('--estimate', '--epochs', '7', '--checkpoint-every', '9');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^an epoch takes .* s: 4 steps of .* ms, [\d,]+ images\/s; 7 epochs .* s$/m);
    expect(stdout).toMatch(
      /^memory: .* MB for the buffers of a step, .*B for data, optimizer and averages, 79.6 kB for weights$/m,
    );
    expect(existsSync(join(cwd, 'runs'))).toBe(false);
    const row = lastJson((await train('--estimate', '--json')).stdout);
    expect(row).toMatchObject({ stepsPerEpoch: 4, weightBytes: 79_624, stepBytes: expect.any(Number) });
    expect(row.seconds).toBeCloseTo(2 * (row.secondsPerEpoch as number), 9);
  });

  it('--find-lr suggests a rate and draws the losses', async () => {
    const { status, stdout } = await train('--find-lr', '--out', 'rates', '--augment', 'flip');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^try --lr 0\.\d+$|^the loss never fell/m);
    expect(stdout).toMatch(/^saved rates\/learning-rates\.svg: the loss at \d+ rates$/m);
    expect(readdirSync(join(cwd, 'rates'))).toEqual(['learning-rates.svg']);
    expect(readFileSync(join(cwd, 'rates/learning-rates.svg'), 'utf8')).toMatch(/^<svg.*>learning rate</s);
    const row = lastJson((await train('--find-lr', '--out', 'rates', '--json')).stdout);
    expect((row.rates as number[]).length).toBe((row.losses as number[]).length);
  });

  it.each([
    [[], 1],
    [['3'], 3],
  ])('--fast-dev-run %j goes through everything and writes nothing', async (args, steps) => {
    const { status, stdout } = await train(
      '--fast-dev-run',
      ...args,
      '--batch-size',
      '16',
      '--json',
      '--out',
      'dev/run',
    );
    expect(status).toBe(0);
    expect(lastJson(stdout)).toMatchObject({ steps, epochs: 1, valLoss: expect.any(Number), stopped: false });
    expect(existsSync(join(cwd, 'dev'))).toBe(false);
  });

  it('--overfit-batches shows whether a model can learn', async () => {
    const { status, stdout } = await train(
      '--overfit-batches',
      '1',
      '--batch-size',
      '8',
      '--epochs',
      '80',
      '--out',
      'over',
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^1 batch: accuracy 100\.00 %, loss .*; nothing was written$/m);
    expect(stdout).toContain('can learn these images by heart');
    expect(existsSync(join(cwd, 'over'))).toBe(false);
  });

  it.each([
    [
      '--estimate --find-lr',
      /^receptive: --estimate: expected one trial at a time, received --find-lr as well/,
    ],
    ['--overfit-batches 0', /whole number/],
    ['--overfit-batches 1 --validation 0.2', /no --validation/],
    ['--fast-dev-run none', /whole number/],
    ['--estimate --momentum 0.5', /momentum only with optimizer/],
    ['--estimate --warmup 1000', /warmup shorter/],
    ['--early-stopping 0', /whole number/],
    ['--validation 1', /below 1/],
    ['--checkpoint-keep 1 --checkpoint-every 5', /whole number/],
    ['--checkpoint-keep 3', /^receptive: --checkpoint-keep: expected it only with --checkpoint-every/],
    ['--checkpoint-best accuracy', /^receptive: --checkpoint-best: expected it only with/],
    ['--checkpoint-best acuracy --checkpoint-every 5', /did you mean accuracy/],
    ['--checkpoint-minutes 0', /above 0/],
    ['--loss crossentropy', /one of crossEntropy.*did you mean crossEntropy\?/],
    ['--loss klDiv', /one of crossEntropy/],
  ])('%s is refused', async (line, message) => {
    const { status, stdout, stderr } = await train('--out', 'refused', '--quiet', ...line.split(' '));
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^receptive: [^\n]+\n$/);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(existsSync(join(cwd, 'refused'))).toBe(false);
  });
});

describe('receptive train, kept and ended', () => {
  it('--early-stopping ends with the best weights, by images that are held out', async () => {
    const args = ['--early-stopping', '2', '--epochs', '400', '--lr', '0.02', '--out', 'early'];
    const { status, stdout, stderr } = await train(...args, '--json');
    expect(status).toBe(0);
    expect(stderr).toMatch(/231 training, 25 validation and 64 test images/);
    expect(stderr).toMatch(/^epoch +1\/400 .* validation \d/m);
    const row = lastJson(stdout);
    const history = readFileSync(join(cwd, 'early/history.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const losses = history.map(({ valLoss }) => valLoss as number);
    const best = losses.indexOf(Math.min(...losses)) + 1;
    expect(row).toMatchObject({ stoppedEarly: true, bestEpoch: best, epochs: best + 2 });
    expect(history).toHaveLength(best + 2);
  });

  it('--checkpoint-keep, --checkpoint-best and --checkpoint-minutes say which stay', async () => {
    const args = [
      '--checkpoint-every',
      '2',
      '--checkpoint-keep',
      '3',
      '--checkpoint-best',
      'none',
      '--checkpoint-minutes',
      '5',
    ];
    const { status } = await train(...args, '--out', 'kept');
    expect(status).toBe(0);
    expect(readdirSync(join(cwd, 'kept/checkpoints')).length).toBeLessThanOrEqual(3);
    expect(readdirSync(join(cwd, 'kept/checkpoints'))).toContain('step-000000008.safetensors');
  });

  it('--loss trains on another loss, which its report tells', async () => {
    const { status, stdout } = await train('--loss', 'mse', '--json', '--out', 'mse');
    const usual = lastJson((await train('--json', '--out', 'usual')).stdout);
    expect(status).toBe(0);
    const row = lastJson(stdout);
    expect(row.weightsSha256).not.toBe(usual.weightsSha256);
    expect(row.testLoss).not.toBe(usual.testLoss);
    expect(JSON.parse(readFileSync(join(cwd, 'mse/config.json'), 'utf8'))).toMatchObject({ loss: 'mse' });
    expect((await receptive(['train', '--help'], cwd)).stdout.replaceAll(/\s+/g, ' ')).toContain(
      '--loss <name> one of crossEntropy, bceWithLogits, mse, l1, huber, smoothL1',
    );
  });
});
