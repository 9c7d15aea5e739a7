// SPDX-License-Identifier: Apache-2.0
// Packed files: what they hold, and that no damage goes unnoticed.
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Dataset } from '../../lib/data/dataset.js';
import { imageFolder } from '../../lib/data/folder.js';
import { type PackOptions, packImages } from '../../lib/data/pack.js';
import { readPacked } from '../../lib/data/packed.js';
import { openPacked } from '../../lib/data/packed-dataset.js';
import { encodeHeader } from '../../lib/data/packed-format.js';
import { loadDataset } from '../../lib/data/registry.js';
import { runChild } from '../helpers/child.js';
import { picture, writeTree } from './pictures.js';
import { partsOf, tarFile } from './tar-file.js';

let folder: string;
let source: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-pack-'));
  source = join(folder, 'in', 'the set');
  file = join(folder, 'out', 'the set.pack');
  for (const part of ['train', 'test']) {
    for (const [i, name] of ['b', 'a', 'ß c'].entries()) {
      for (let n = 0; n < (part === 'train' ? 3 : 1); n++) {
        const colour = [20 + 30 * n, 60 * i, 100];
        await writeTree(source, {
          [`${part}/${name}/${n}.png`]: await picture('png', { width: 2, height: 2, colour }),
        });
      }
    }
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const plain = ({ name, images, labels, imageShape, classNames, normalization }: Dataset) => ({
  ...{ name, imageShape, classNames, normalization, images: [...images], labels: [...labels] },
});

describe('packImages and readPacked', () => {
  it('give back what the folder holds', async () => {
    const report = await packImages(source, file);
    expect(report).toMatchObject({
      ...{ file, images: 12, parts: { train: 9, test: 3 }, imageShape: [2, 2, 3], skipped: {} },
      classNames: ['a', 'b', 'ß c'],
    });
    expect(await readdir(join(folder, 'out'))).toEqual(['the set.pack']);
    const parts = await readPacked(file);
    const { train, test } = await imageFolder(source);
    expect([...parts.keys()].sort()).toEqual(['test', 'train']);
    expect(plain(parts.get('train') as Dataset)).toEqual(plain(train));
    expect(plain(parts.get('test') as Dataset)).toEqual(plain(test));
    const split = await loadDataset(`packed:${file}`);
    expect(plain(split.train)).toEqual(plain(train));
    expect((await loadDataset('packed', { dataDir: file, split: 'test', testSize: 2 })).length).toBe(2);
    const bytes = await readFile(file);
    expect([bytes.length, bytes.toString('latin1', 0, 8)]).toEqual([report.bytes, 'RCPTPACK']);
    expect([...bytes.subarray(4096, 4096 + 12)]).not.toEqual(new Array(12).fill(0)); // images begin at a page
  });

  it('write the same bytes from an archive, in any order of its parts', async () => {
    const archive = join(folder, 'the set.tar');
    await writeFile(archive, tarFile(await partsOf(source))); // the test part is the first
    await packImages(source, file);
    await packImages(archive, join(folder, 'other.pack'));
    const [first, second] = [await readPacked(file), await readPacked(join(folder, 'other.pack'))];
    for (const part of ['train', 'test']) {
      expect(plain(second.get(part) as Dataset)).toEqual(plain(first.get(part) as Dataset));
    }
  });

  it('pack a set that is not divided, which is divided when it is loaded', async () => {
    await packImages(join(source, 'train'), file, { name: 'whole' });
    expect([...(await readPacked(file)).keys()]).toEqual(['all']);
    const { train, test } = await loadDataset(`packed:${file}`);
    expect([train.name, train.length, test.length]).toEqual(['whole', 6, 3]);
  });

  it('are taken for cifar10 where the copy lies in dataDir', async () => {
    await packImages(source, join(folder, 'out', 'cifar10.pack'));
    const { train } = await loadDataset('cifar10', { dataDir: join(folder, 'out') });
    expect(train.length).toBe(9);
    expect((await loadDataset('cifar10', { dataDir: join(folder, 'out', 'cifar10.pack') })).test.length).toBe(
      3,
    );
  });

  it('leave what was there, and nothing else, when packing fails', async () => {
    await packImages(source, file);
    const before = await readFile(file);
    await writeTree(source, { 'train/b/bad.png': Buffer.from('bad') });
    await expect(packImages(source, file)).rejects.toMatchObject({ code: 'ERR_DATA' });
    await expect(packImages(source, file, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
    expect(await readdir(join(folder, 'out'))).toEqual(['the set.pack']);
    expect((await readFile(file)).equals(before)).toBe(true);
    expect((await packImages(source, file, { onBad: 'skip' })).skipped).toEqual({ 'no picture': 1 });
    const inFile = join(source, 'train', 'b', '0.png', 'x.pack');
    await expect(packImages(source, inFile, { onBad: 'skip' })).rejects.toMatchObject({ code: 'ERR_FILE' });
  });
});

describe('packImages', () => {
  it.each<[string, unknown, unknown, object]>([
    ['no source', undefined, 'x.pack', {}],
    ['no file', '.', undefined, {}],
    ['an empty file name', '.', '', {}],
    ['a number for a name', '.', 'x.pack', { name: 5 }],
    ['an empty name', '.', 'x.pack', { name: '' }],
    ['an unknown option', '.', 'x.pack', { nme: 'x' }],
    ['a size that is none', '.', 'x.pack', { size: 'large' }],
    ['no options', '.', 'x.pack', null as never],
  ])('refuses %s before anything is written', async (_, from, to, options) => {
    const running = packImages(from as string, to as string, options as PackOptions);
    await expect(running).rejects.toMatchObject({ name: 'ReceptiveError', code: 'ERR_ARGUMENT' });
  });

  it('writes over no folder, no device and not over its source', async () => {
    await mkdir(file, { recursive: true });
    await expect(packImages(source, file)).rejects.toMatchObject({ code: 'ERR_FILE', received: 'a folder' });
    const archive = join(folder, 'a.tar');
    const link = join(folder, 'b.pack');
    await writeFile(archive, tarFile(await partsOf(source)));
    await symlink(archive, link);
    const before = await readFile(archive);
    for (const target of [archive, link]) {
      const error = { code: 'ERR_ARGUMENT', received: `${target} for both` };
      await expect(packImages(archive, target)).rejects.toMatchObject(error);
    }
    expect((await readFile(archive)).equals(before)).toBe(true);
    if (process.platform === 'win32') return;
    await expect(packImages(source, '/dev/null')).rejects.toMatchObject({ received: 'a device' });
  });

  it.runIf(process.platform === 'linux')('ends also where the system makes no folder', async () => {
    await expect(packImages(source, '/proc/none/x.pack')).rejects.toMatchObject({ code: 'ERR_FILE' });
  });

  it('takes away what a killed one left, and nothing that another is writing', async () => {
    const { signal, stderr } = runChild(
      `import { packImages } from '#dist/data/pack.js';
      const [source, file] = JSON.parse(process.env.PATHS);
      await packImages(source, file, { onImages: () => process.kill(process.pid, 'SIGKILL') });`,
      { env: { PATHS: JSON.stringify([source, file]) } },
    );
    expect(signal, stderr).toBe('SIGKILL');
    expect((await readdir(join(folder, 'out'))).length).toBeGreaterThan(1); // the whole, and its parts
    await Promise.all([1, 2, 3].map(() => packImages(source, file)));
    expect(await readdir(join(folder, 'out'))).toEqual(['the set.pack']);
    expect((await readPacked(file)).size).toBe(2);
  });
});

describe('a packed file is refused', () => {
  const refused = (bytes: Uint8Array) =>
    writeFile(file, bytes).then(() =>
      readPacked(file).then(
        () => undefined,
        (error) => error.code,
      ),
    );

  it('for every bit that is not as it was written, but for padding', async () => {
    await packImages(source, file);
    const bytes = await readFile(file);
    // Pages 1 to 3 hold test images, test labels and training images; what follows them is whole.
    const used = [64, 3 * 12, 3 * 4, 9 * 12];
    const isPadding = (at: number) => at % 4096 >= (used[Math.floor(at / 4096)] ?? 4096);
    for (let at = 0; at < bytes.length; at++) {
      if (isPadding(at)) continue;
      const wrong = Uint8Array.from(bytes);
      wrong[at] ^= 1 << (at % 8);
      expect(await refused(wrong), `bit ${at % 8} of byte ${at}`).toBe('ERR_DATA');
    }
  });

  it('for every length but its own', async () => {
    await packImages(source, file);
    const bytes = await readFile(file);
    for (let length = 0; length < bytes.length; length += length < 70 ? 1 : 97) {
      expect(await refused(bytes.subarray(0, length)), `${length} bytes`).toBe('ERR_DATA');
    }
    expect(await refused(Buffer.concat([bytes, Buffer.alloc(1)]))).toBe('ERR_DATA');
  });

  it('where its index is right by its checksum and wrong by what it says', async () => {
    await packImages(source, file);
    const bytes = await readFile(file);
    const start = Number(bytes.readBigUInt64LE(16));
    const index = JSON.parse(bytes.toString('utf8', start));
    const { train } = index.parts;
    for (const change of [
      { name: 1 },
      { imageShape: [2, 2] },
      { imageShape: [2 ** 30, 2 ** 30, 3] },
      { classNames: 'abc' },
      { normalization: {} },
      { normalization: { mean: [0, 0, 0], std: [0, 0, 0] } },
      { parts: null },
      { parts: { train: { ...train, length: 10 } } },
      { parts: { train: { ...train, images: { ...train.images, offset: 2 ** 40 } } } },
      { parts: { train: { ...train, labels: train.images } } },
      { classNames: ['a'] }, // labels have no class then
    ]) {
      const text = Buffer.from(JSON.stringify({ ...index, ...change }));
      const wrong = Buffer.concat([bytes.subarray(0, start), text]);
      encodeHeader(text, start).forEach((byte, i) => {
        wrong[i] = byte;
      });
      expect(await refused(wrong), JSON.stringify(change)).toBe('ERR_DATA');
    }
    const newer = Buffer.from(bytes);
    newer.writeUInt32LE(2, 8);
    await writeFile(file, newer);
    const error = { code: 'ERR_DATA', op: `reading ${file}`, hint: expect.stringMatching(/newer version/) };
    await expect(readPacked(file)).rejects.toMatchObject(error);
    await expect(openPacked(file, 'train')).rejects.toMatchObject(error);
  });

  it('where it has a class of one image, and is to be divided', async () => {
    await writeTree(source, { 'train/one/1.png': await picture('png', { width: 2, height: 2 }) });
    await packImages(join(source, 'train'), file);
    for (const onDisk of [false, true]) {
      await expect(loadDataset('packed', { dataDir: file, onDisk })).rejects.toMatchObject({
        ...{ code: 'ERR_DATA', op: `reading ${file}`, received: 'one of "one"' },
      });
    }
  });

  it('where there is none, or no such part', async () => {
    await expect(readPacked(join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_FILE' });
    await expect(readPacked(folder)).rejects.toMatchObject({ code: 'ERR_FILE' });
    for (const wrong of [undefined, 5, '']) {
      await expect(readPacked(wrong as string)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
      await expect(openPacked(wrong as string, 'all')).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
    await packImages(source, file);
    for (const parts of [['trian'], 'train', [5]]) {
      const running = readPacked(file, { parts: parts as string[] });
      await expect(running).rejects.toMatchObject({ name: 'ReceptiveError', code: 'ERR_ARGUMENT' });
    }
    await expect(readPacked(file, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
    const unverified = await readPacked(file, { parts: ['test'], verify: false });
    expect([...unverified.keys()]).toEqual(['test']);
  });
});
