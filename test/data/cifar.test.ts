// SPDX-License-Identifier: Apache-2.0
// CIFAR from small files of the same form; from the real ones where RECEPTIVE_CIFAR_DIR names them.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CIFAR10, CIFAR100, cifar10, cifar100, readCifarTest } from '../../lib/data/cifar.js';
import { startMirror } from './mirror.js';
import { tarFile } from './tar-file.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-cifar-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A record: label bytes, then planes whose pixel i has the values i, i + 1, i + 2 (modulo 256), plus `shift`. */
function record(labels: readonly number[], shift: number): number[] {
  const plane = (c: number) => Array.from({ length: 1024 }, (_, i) => (i + c + shift) % 256);
  return [...labels, ...plane(0), ...plane(1), ...plane(2)];
}
const ten = (): Record<string, Uint8Array> => ({
  ...Object.fromEntries(
    [1, 2, 3, 4, 5].map((n) => [
      `data_batch_${n}.bin`,
      Uint8Array.from([...record([n], n), ...record([9], 2 * n)]),
    ]),
  ),
  'test_batch.bin': Uint8Array.from(record([3], 100)),
});
async function write(files: Record<string, Uint8Array>, under = ''): Promise<void> {
  await mkdir(join(folder, under), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, under, name), bytes);
}
const archived = (files: Record<string, Uint8Array>) =>
  tarFile(Object.entries(files).map(([name, bytes]) => ({ path: `cifar-10-batches-bin/${name}`, bytes })));

describe('cifar10', () => {
  it.each<[string, (files: Record<string, Uint8Array>) => Promise<void>]>([
    ['the files', (files) => write(files)],
    ['their folder', (files) => write(files, 'cifar-10-batches-bin')],
    ['the archive', (files) => write({ 'cifar-10-binary.tar.gz': gzipSync(archived(files)) })],
    ['the archive, unpacked', (files) => write({ 'cifar-10-binary.tar': archived(files) })],
  ])('reads %s', async (_, prepare) => {
    await prepare(ten());
    const { train, test } = await cifar10({ dataDir: folder });
    expect([train.name, train.length, test.length, ...train.imageShape]).toEqual([
      'cifar10',
      10,
      1,
      32,
      32,
      3,
    ]);
    expect([...train.labels]).toEqual([1, 9, 2, 9, 3, 9, 4, 9, 5, 9]);
    expect(train.classNames[test.labels[0]]).toBe('cat');
    const image = train.images.subarray(2 * 3072, 3 * 3072); // the first of the second file
    for (let i = 0; i < 3072; i++) {
      expect(image[i]).toBe((Math.floor(i / 3) + (i % 3) + 2) % 256);
    }
  });

  it('takes as many as asked for, and the test part alone from its file alone', async () => {
    await write(ten());
    const { train, test } = await cifar10({ dataDir: folder, trainSize: 3 });
    expect([train.length, test.length]).toEqual([3, 1]);
    await rm(join(folder, 'data_batch_2.bin'));
    expect((await readCifarTest(CIFAR10, { dataDir: folder })).length).toBe(1);
    await expect(cifar10({ dataDir: folder })).rejects.toMatchObject({
      code: 'ERR_FILE',
      expected: expect.stringContaining('data_batch_2.bin'),
    });
  });

  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    ['a cut file', { 'data_batch_3.bin': new Uint8Array(3000) }, /data_batch_3.bin.*3073 bytes/],
    ['an empty file', { 'test_batch.bin': new Uint8Array() }, /test_batch.bin/],
    ['a label above 9', { 'data_batch_1.bin': Uint8Array.from(record([10], 0)) }, /10 in record 0/],
  ])('refuses %s, naming it', async (_, change, message) => {
    await write({ ...ten(), ...change });
    await expect(cifar10({ dataDir: folder })).rejects.toMatchObject({
      code: 'ERR_DATA',
      message: expect.stringMatching(message),
    });
  });

  it('refuses a folder without, an archive without, and an archive that was not published', async () => {
    await expect(cifar10({ dataDir: folder })).rejects.toMatchObject({ code: 'ERR_FILE' });
    await write({ 'cifar-10-binary.tar': tarFile([{ path: 'readme' }]) });
    await expect(cifar10({ dataDir: folder })).rejects.toThrow(/data_batch_1.bin/);
    const mirror = await startMirror({ 'cifar-10-binary.tar.gz': gzipSync(archived(ten())) });
    try {
      const running = cifar10({ cacheDir: join(folder, 'cache'), mirrors: [`${mirror.url}/good`] });
      await expect(running).rejects.toMatchObject({ received: expect.stringMatching(/wrong checksum/) });
    } finally {
      await mirror.close();
    }
  });
});

describe('cifar100', () => {
  it('has the fine labels, which come second', async () => {
    await write({
      'train.bin': Uint8Array.from([...record([4, 0], 0), ...record([1, 99], 1)]),
      'test.bin': Uint8Array.from(record([19, 1], 5)),
    });
    const { train, test } = await cifar100({ dataDir: folder });
    expect([...train.labels, ...test.labels]).toEqual([0, 99, 1]);
    expect(train.classNames.map((name, i) => (i % 33 === 0 ? name : '')).filter(Boolean)).toEqual([
      ...['apple', 'forest', 'raccoon', 'worm'],
    ]);
    expect([CIFAR100.classNames.length, new Set(CIFAR100.classNames).size]).toEqual([100, 100]);
    expect(train.images[3072]).toBe(1);
  });
});

const realFiles = process.env.RECEPTIVE_CIFAR_DIR;
describe.skipIf(realFiles === undefined)('the real CIFAR-10 (needs RECEPTIVE_CIFAR_DIR)', () => {
  it('has 50,000 and 10,000 images, as many of each class', async () => {
    const { train, test } = await cifar10({ dataDir: realFiles });
    expect([train.length, test.length]).toEqual([50_000, 10_000]);
    expect([...train.labels.subarray(0, 6)]).toEqual([6, 9, 9, 4, 1, 1]);
  });
});
