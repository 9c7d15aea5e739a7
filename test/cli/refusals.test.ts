// SPDX-License-Identifier: Apache-2.0
// Whatever is asked wrongly or lies wrong on the disk: one line on standard error, a status, and nothing written.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { receptive, TINY, temporaryFolder } from './receptive.js';

const cwd = temporaryFolder();
let model: Buffer;

beforeAll(async () => {
  await receptive(['train', ...TINY, '--out', 'good', '--quiet'], cwd);
  model = readFileSync(join(cwd, 'good/model.safetensors'));
  writeFileSync(join(cwd, 'a-file'), 'text');
  mkdirSync(join(cwd, 'empty'));
});

/** One line, no stack trace, nothing on standard output. */
async function expectRefusal(args: readonly string[], status: number, message: RegExp): Promise<void> {
  const before = readdirSync(cwd, { recursive: true }).sort();
  const finished = await receptive(args, cwd);
  expect(finished.stderr).toMatch(/^receptive: [^\n]+\n$/);
  expect(finished.stderr).toMatch(message);
  expect({ status: finished.status, stdout: finished.stdout }).toEqual({ status, stdout: '' });
  expect(readdirSync(cwd, { recursive: true }).sort()).toEqual(before);
}

describe('bad usage ends with status 2', () => {
  it.each([
    ['trian', /unknown command 'trian' \(Did you mean train\?\)/],
    ['train --epoch 3', /unknown option '--epoch' \(Did you mean --epochs\?\)/],
    ['train --model lenet', /one of lenet5, .*did you mean lenet5\?/],
    ['train --data minst', /one of glyphs, xo, mnist.*did you mean mnist\?/],
    ['train --optimizer adaw', /one of sgd, adam, adamw, rmsprop, adagrad, lion \(did you mean adam/],
    ['train --schedule linear', /one of constant, cosine/],
    ['train --epochs 0', /--epochs.*'0' is invalid.*whole number from 1/],
    ['train --epochs 1.5', /whole number/],
    ['train --epochs', /argument missing/],
    ['train --batch-size -8', /whole number/],
    ['train --lr fast', /number above 0/],
    ['train --lr 0', /number above 0/],
    ['train --lr Infinity', /number above 0/],
    ['train --momentum 1', /below 1/],
    ['train --weight-decay -1', /at least 0/],
    ['train --clip-norm 0', /number above 0/],
    ['train --clip-value much', /number above 0/],
    ['train --ema 1', /below 1/],
    ['train --warmup 1.5', /whole number/],
    ['train --seed 0.5', /whole number/],
    ['train --threads 0', /from 1 to 256/],
    ['train --threads 1000', /from 1 to 256/],
    ['train extra', /too many arguments/],
    ['eval', /missing required argument 'model'/],
    ['predict good/model.safetensors', /missing required argument 'image'/],
    ['predict good/model.safetensors x.png --invert maybe', /one of auto, always, never/],
    ['summary lenet', /did you mean lenet5\?/],
    ['info now', /too many arguments/],
  ])('%s', (line, message) => expectRefusal(line.split(' '), 2, message));

  it('momentum without sgd', async () => {
    const { status, stderr } = await receptive(['train', ...TINY, '--momentum', '0.5', '--out', 'no'], cwd);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^receptive: fit: expected momentum only with optimizer 'sgd'.*\n$/);
    expect(existsSync(join(cwd, 'no'))).toBe(false);
  });

  it.each([
    ['--clip-norm 1 --clip-value 1', /clipGradNorm or clipGradValue/],
    ['--warmup 1000', /warmup shorter than the training/],
    ['--warmup 3 --schedule plateau', /no warmup/],
  ])('%s', async (line, message) => {
    const { status, stderr } = await receptive(['train', ...TINY, '--out', 'no', ...line.split(' ')], cwd);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
    expect(existsSync(join(cwd, 'no'))).toBe(false);
  });
});

describe('what lies wrong ends with status 1', () => {
  it.each([
    ['train --data mnist --data-dir nowhere --out new/run', /expected a folder at nowhere/],
    ['train --data mnist --data-dir empty --out new/run', /train-images-idx3-ubyte.*none of them/],
    ['train --out a-file', /--out: expected to be able to write a-file/],
    ['train --out a-file/run', /--out: expected to be able to write a-file\/run/],
    ['train --out /proc', /--out: expected to be able to write \/proc,/],
    ['train --out /proc/none/run', /--out: expected to be able to write \/proc\/none\/run/],
    ['eval nowhere.safetensors', /nowhere.safetensors.*\[ERR_FILE\]/],
    ['eval empty', /empty.*\[ERR_(FILE|DATA)\]/],
    ['eval a-file', /a-file.*\[ERR_DATA\]/],
    ['summary nowhere.safetensors', /nowhere.safetensors.*\[ERR_FILE\]/],
    ['predict a-file x.png', /a-file.*\[ERR_DATA\]/],
  ])('%s', (line, message) => expectRefusal(line.split(' '), 1, message));

  it('a folder that may not be written to', async (context) => {
    if (process.getuid?.() === 0) return context.skip(); // root may write anywhere
    const folder = join(cwd, 'read-only');
    mkdirSync(folder);
    chmodSync(folder, 0o555);
    await expectRefusal(['train', '--out', 'read-only'], 1, /EACCES/);
    await expectRefusal(['train', '--out', 'read-only/run'], 1, /EACCES/);
  });

  it('files of weights that are cut, changed or lie', async () => {
    const cases: [name: string, bytes: Uint8Array][] = [
      ['empty-file', new Uint8Array(0)],
      ['cut-header', model.subarray(0, 40)],
      ['cut-body', model.subarray(0, model.length - 5)],
      ['longer', Buffer.concat([model, Buffer.from('more')])],
      ['lying-length', Buffer.concat([Buffer.alloc(8, 0xff), model.subarray(8)])],
      ['other-shape', replaced('"shape":[8,1,5,5]', '"shape":[8,1,1,5]')],
      ['other-model', replaced('"model":"xo"', '"model":"ox"')],
      ['other-classes', replaced('[\\"X\\",\\"O\\"]', '[\\"X\\",\\"0\\" ')],
    ];
    for (const [name, bytes] of cases) {
      writeFileSync(join(cwd, name), bytes);
      await expectRefusal(['eval', name, '--test-size', '5'], 1, new RegExp(`${name}.*\\[ERR_DATA\\]`));
    }
  });

  /** The file with a text in its header replaced by one of the same length. */
  function replaced(from: string, to: string): Buffer {
    expect(to).toHaveLength(from.length);
    const at = model.indexOf(from);
    expect(at, from).toBeGreaterThan(0);
    const copy = Buffer.from(model);
    copy.write(to, at);
    return copy;
  }
});

describe('help', () => {
  it('is on standard output with status 0, and on standard error where a command is missing', async () => {
    const asked = await receptive(['--help'], cwd);
    expect(asked).toMatchObject({ status: 0, stderr: '' });
    expect(asked.stdout).toMatch(/train.*eval.*predict.*summary.*info/s);
    expect((await receptive(['train', '--help'], cwd)).stdout).toContain('--weight-decay');
    const bare = await receptive([], cwd);
    expect(bare).toMatchObject({ status: 2, stdout: '' });
    expect((await receptive(['--version'], cwd)).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
