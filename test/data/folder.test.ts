// SPDX-License-Identifier: Apache-2.0
// Pictures out of folders and archives, good ones and all that can be wrong with them.
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { imageFolder } from '../../lib/data/folder.js';
import type { ReadImagesOptions } from '../../lib/data/image-source.js';
import { loadDataset } from '../../lib/data/registry.js';
import { picture, pngChunk, pngFile, writeTree } from './pictures.js';
import { type TarPart, tarFile } from './tar-file.js';

/** Folders that the system does not list: for root, who may run these tests, permissions take nothing away. */
const unlisted = vi.hoisted(() => new Set<string>());
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const readdir = async (path: string, options: { withFileTypes: true }) => {
    if (unlisted.has(path)) throw new Error(`EACCES: permission denied, scandir '${path}'`);
    return real.readdir(path, options);
  };
  return { ...real, readdir };
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-folder-'));
});
afterEach(() => {
  unlisted.clear();
  return rm(folder, { recursive: true, force: true });
});

const meanOf = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
const colours = { red: [220, 30, 30], 'sky blue': [90, 160, 230], 緑: [30, 200, 60] };

/** Three classes of three pictures, in all formats. */
async function three(under = ''): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const [name, colour] of Object.entries(colours)) {
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      files[`${under}${name}/a picture.${format}`] = await picture(format, { colour });
    }
  }
  return files;
}

describe('imageFolder', () => {
  it('reads JPEG, PNG and WebP of classes whose names have spaces and other scripts', async () => {
    await writeTree(folder, await three());
    await writeTree(folder, { 'red/Thumbs.db': Buffer.from('x'), '.git/config': Buffer.from('x') });
    const { train, test, report } = await imageFolder(folder);
    expect([train.length, test.length, ...train.imageShape]).toEqual([6, 3, 6, 8, 3]);
    expect(train.classNames).toEqual(['red', 'sky blue', '緑']);
    expect(report).toEqual({ images: 9, skipped: {}, examples: [], ignored: 1, converted: {} });
    for (const part of [train, test]) {
      part.labels.forEach((label, i) => {
        const last = part.images.subarray((i + 1) * 144 - 3, (i + 1) * 144);
        const expected = Object.values(colours)[label];
        last.forEach((value, c) => {
          expect(Math.abs(value - expected[c])).toBeLessThan(12);
        });
      });
    }
  });

  it('takes folders named train and test, and validation, as the parts', async () => {
    await writeTree(folder, { ...(await three('train/')), ...(await three('Validation/')) });
    const { train, test } = await imageFolder(folder);
    expect([train.length, test.length]).toEqual([9, 9]);
    const images = Array.from(train.images);
    expect(train.normalization.mean[0]).toBeCloseTo(
      images.filter((_, i) => i % 3 === 0).reduce((sum, value) => sum + value / 255, 0) / (9 * 48),
      10,
    );
  });

  it('takes names that every object knows for classes and other files', async () => {
    await writeTree(folder, { ...(await three()), 'red/notes.constructor': Buffer.from('x') });
    for (const format of ['png', 'jpeg'] as const) {
      await writeTree(folder, { [`constructor/1.${format}`]: await picture(format) });
    }
    const { train, report } = await imageFolder(folder);
    expect(train.classNames).toEqual(['constructor', 'red', 'sky blue', '緑']);
    expect(report).toMatchObject({ images: 11, ignored: 1, skipped: {} });
    const path = join(folder, 'a.tar');
    const bytes = await picture('png');
    const parts = ['1', '2'].map((name) => ({ path: `constructor/${name}.png`, bytes }));
    await writeFile(path, tarFile(parts));
    expect((await imageFolder(path)).train.classNames).toEqual(['constructor']);
  });

  it.each(['', './', 'flowers/', './flowers/'])(
    'reads an archive in the same way, below %j',
    async (root) => {
      const files = { ...(await three('train/')), ...(await three('test/')) };
      const parts = Object.entries(files).map(([path, bytes]) => ({ path: root + path, bytes }));
      const path = join(folder, 'flowers.tar.gz');
      await writeFile(path, gzipSync(tarFile([{ path: `${root}train/`, type: '5' }, ...parts])));
      const { train, test } = await imageFolder(path);
      expect([train.name, train.length, test.length]).toEqual(['flowers', 9, 9]);
      expect(train.classNames).toEqual(['red', 'sky blue', '緑']);
    },
  );

  it('brings pictures of many sizes to one, in each way', async () => {
    const wide = await picture('png', { width: 40, height: 10 });
    await writeTree(folder, {
      'a/1.png': wide,
      'a/2.png': await picture('png'),
      'b/1.png': wide,
      'b/2.png': wide,
    });
    for (const fit of ['cover', 'contain', 'fill'] as const) {
      const { train, report } = await imageFolder(folder, { size: [12, 16], fit });
      expect(train.imageShape).toEqual([12, 16, 3]);
      expect(report.converted).toEqual({ resized: 4 });
      const isBlack = train.images.subarray(0, 3).every((value) => value === 0);
      expect(isBlack).toBe(fit === 'contain'); // the borders
    }
    expect((await imageFolder(folder, { size: 9 })).train.imageShape).toEqual([9, 9, 3]);
  });

  it('compares sizes as pictures are seen, turned by their EXIF data', async () => {
    const lying = await sharp(await picture('jpeg', { width: 8, height: 6 }))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    await writeTree(folder, { 'a/1.jpg': lying, 'a/2.jpg': lying });
    const upright = await imageFolder(folder, { size: [8, 6] });
    expect([upright.train.imageShape, upright.report.converted]).toEqual([[8, 6, 3], {}]);
    expect(upright.train.images).toEqual((await imageFolder(folder)).train.images);
    const wide = await imageFolder(folder, { size: [6, 8] });
    expect([wide.train.imageShape, wide.report]).toEqual([
      [6, 8, 3],
      { images: 2, skipped: {}, examples: [], ignored: 0, converted: { resized: 2 } },
    ]);
  });

  it('turns grey, CMYK and 16-bit pictures into plain ones, and misnamed ones by their contents', async () => {
    const grey = await sharp(await picture('png'))
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const cmyk = await sharp(await picture('png', { colour: [255, 0, 0] }))
      .toColourspace('cmyk')
      .jpeg()
      .toBuffer();
    const deep = await sharp(await picture('png'))
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    const see = await sharp(await picture('png'))
      .ensureAlpha(0)
      .png()
      .toBuffer();
    await writeTree(folder, {
      'a/grey.png': grey,
      'a/cmyk.jpg': cmyk,
      'b/deep.png': deep,
      'b/misnamed.jpg': await picture('png'),
      'b/see-through.png': see,
    });
    const { train, test, report } = await imageFolder(folder, { size: [6, 8] });
    expect(report.converted).toEqual({ grey: 1, cmyk: 1, '16-bit': 1, misnamed: 1 });
    expect([train.length + test.length, ...train.imageShape]).toEqual([5, 6, 8, 3]);
    const one = await imageFolder(folder, { channels: 1 });
    expect(one.train.imageShape).toEqual([6, 8, 1]);
    expect(one.report.converted).toEqual({ cmyk: 1, '16-bit': 1, misnamed: 1 });
  });

  it('follows links inside the folder', async () => {
    await writeTree(folder, { 'a/1.png': await picture('png'), 'a/2.png': await picture('png') });
    await mkdir(join(folder, 'b'));
    await symlink('../a/1.png', join(folder, 'b', '1.png'));
    await symlink(join(folder, 'a', '2.png'), join(folder, 'b', '2.png'));
    expect((await imageFolder(folder)).train.classNames).toEqual(['a', 'b']);
  });
});

describe('files that cannot be used', () => {
  type Make = (path: string) => Promise<Buffer | undefined>;
  const bad: [string, string, Make][] = [
    ['empty', 'no picture', async () => Buffer.alloc(0)],
    ['text', 'no picture', async () => Buffer.from('hello, I am no picture at all')],
    [
      'truncated JPEG',
      'damaged',
      async () => (await picture('jpeg', { width: 64, height: 64 })).subarray(0, -200),
    ],
    ['truncated PNG', 'damaged', async () => (await picture('png')).subarray(0, -30)],
    [
      'truncated WebP',
      'damaged',
      async () => (await picture('webp', { width: 40, height: 40 })).subarray(0, -12),
    ],
    ['cut in the header', 'no picture', async () => (await picture('jpeg')).subarray(0, 30)],
    ['giant claim', 'too many pixels', async () => pngFile(100_000, 100_000)],
    ['animation', 'animated', async () => pngFile(8, 6, { extra: [pngChunk('acTL', Buffer.alloc(8))] })],
    ['GIF under another name', 'no picture', async () => Buffer.from('GIF89a\x08\x00\x06\x00\x00')],
    [
      'SVG under another name',
      'no picture',
      async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    ],
    ['another size', 'another size', async () => picture('png', { width: 9 })],
    ['link out of the folder', 'link', async (path) => void (await symlink('/etc/hostname', path))],
    ['link to nowhere', 'link', async (path) => void (await symlink('nowhere', path))],
    [
      'hole of 300 MB',
      'too large',
      async (path) => {
        await writeFile(path, '');
        await truncate(path, 3e8);
        return undefined;
      },
    ],
  ];

  async function prepare(make: Make): Promise<string> {
    await writeTree(folder, await three());
    const path = join(folder, 'sky blue', 'z.png');
    const bytes = await make(path);
    if (bytes !== undefined) await writeFile(path, bytes);
    return path;
  }

  it.each(bad)('refuses one that is: %s', async (_, __, make) => {
    const path = await prepare(make);
    const error: Error = await imageFolder(folder).then(
      () => new Error('was taken'),
      (reason) => reason,
    );
    expect(error).toMatchObject({ code: 'ERR_DATA', op: `reading ${path}` });
  });

  it.each(bad)('leaves out and counts one that is: %s', async (_, reason, make) => {
    const path = await prepare(make);
    const { train, test, report } = await imageFolder(folder, { onBad: 'skip' });
    expect(train.length + test.length).toBe(9);
    expect(report.skipped).toEqual({ [reason]: 1 });
    expect(report.examples).toEqual([expect.stringContaining(path)]);
  });

  it('tells empty classes and pictures in no class', async () => {
    await writeTree(folder, await three());
    await mkdir(join(folder, 'empty one'));
    await expect(imageFolder(folder)).rejects.toMatchObject({ code: 'ERR_DATA', op: /empty one/ });
    await writeTree(folder, { 'stray.jpg': await picture('jpeg') });
    await expect(imageFolder(folder)).rejects.toMatchObject({ op: /stray.jpg/, received: 'in no class' });
    const { train, report } = await imageFolder(folder, { onBad: 'skip' });
    expect(train.classNames).toHaveLength(3);
    expect(report.skipped).toEqual({ 'empty class': 1, 'in no class': 1 });
  });

  it.each(['', '/deeper'])('tells a folder that cannot be listed: a class%s', async (below) => {
    await writeTree(folder, await three());
    const path = join(folder, `locked${below}`);
    await writeTree(folder, { 'locked/deeper/1.png': await picture('png') });
    unlisted.add(path);
    await expect(imageFolder(folder)).rejects.toMatchObject({ code: 'ERR_DATA', op: `reading ${path}` });
    const { report } = await imageFolder(folder, { onBad: 'skip' });
    expect(report).toMatchObject({ images: 9, skipped: { unreadable: 1 } });
    expect(report.examples[0]).toContain(`${path}: unreadable: EACCES`);
  });

  it('does not go on where the root cannot be listed', async () => {
    await writeTree(folder, await three());
    unlisted.add(folder);
    await expect(imageFolder(folder, { onBad: 'skip' })).rejects.toMatchObject({ code: 'ERR_FILE' });
  });

  it('tells classes that could not be divided or were never trained', async () => {
    await writeTree(folder, { 'a/1.png': await picture('png'), 'b/1.png': await picture('png') });
    await expect(imageFolder(folder)).rejects.toThrow(/at least two samples of each class/);
    await writeTree(folder, {
      'train/a/1.png': await picture('png'),
      'test/a/1.png': await picture('png'),
      'test/c/1.png': await picture('png'),
    });
    await rm(join(folder, 'a'), { recursive: true });
    await rm(join(folder, 'b'), { recursive: true });
    await expect(imageFolder(folder)).rejects.toThrow(/"c" has no pictures to train with/);
  });

  it('says what a folder should look like where it has none', async () => {
    await expect(imageFolder(folder)).rejects.toMatchObject({ code: 'ERR_DATA', hint: /<class>/ });
    await expect(imageFolder(join(folder, 'none'))).rejects.toMatchObject({ code: 'ERR_FILE' });
    const file = join(folder, 'notes.tar');
    await writeFile(file, 'this is no tar archive, however long it may be. '.repeat(40));
    await expect(imageFolder(file)).rejects.toMatchObject({ code: 'ERR_DATA' });
  });

  const good = async (): Promise<TarPart[]> =>
    Object.entries(await three()).map(([path, bytes]) => ({ path, bytes }));
  it.each<[string, string, TarPart]>([
    ['an absolute path', 'unsafe path', { path: '/red/x.png' }],
    ['a path upwards', 'unsafe path', { path: 'red/../../x.png' }],
    ['a path of Windows', 'unsafe path', { path: 'C:\\red\\x.png' }],
    ['a symbolic link', 'link', { path: 'red/x.png', type: '2', target: '/etc/passwd' }],
    ['a hard link', 'link', { path: 'red/x.png', type: '1', target: 'red/a picture.png' }],
    ['a device', 'device', { path: 'red/x.png', type: '3' }],
  ])('refuses an archive with %s, or leaves it out', async (_, reason, part) => {
    const path = join(folder, 'a.tar');
    await writeFile(path, tarFile([...(await good()), part]));
    await expect(imageFolder(path)).rejects.toMatchObject({
      code: 'ERR_DATA',
      op: `reading ${path}:${part.path}`,
    });
    const { report } = await imageFolder(path, { onBad: 'skip' });
    expect(report).toMatchObject({ images: 9, skipped: { [reason]: 1 } });
  });

  it('does not leave out a damaged archive', async () => {
    const path = join(folder, 'a.tar');
    const whole = tarFile(await good());
    await writeFile(path, whole.subarray(0, whole.length - 2000));
    await expect(imageFolder(path, { onBad: 'skip' })).rejects.toMatchObject({ code: 'ERR_DATA' });
  });

  it.each<[object, string]>([
    [{ size: 0 }, 'size'],
    [{ size: [3] }, 'size as'],
    [{ size: 1e5 }, 'at most'],
    [{ channels: 4 }, 'channels'],
    [{ fit: 'crop' }, 'fit'],
    [{ onBad: 'ignore' }, 'onBad'],
    [{ maxPixels: -1 }, 'maxPixels'],
    [{ sise: 3 }, 'only the options'],
    [{ onImages: 1 }, 'onImages'],
  ])('refuses the options %j', async (options, expected) => {
    await expect(imageFolder(folder, options as ReadImagesOptions)).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      expected: expect.stringContaining(expected),
    });
  });

  it('stops when told to, and tells how far it is', async () => {
    await writeTree(folder, await three());
    const told: number[] = [];
    await imageFolder(folder, { onImages: ({ images }) => told.push(images) });
    expect(told.at(-1)).toBe(9);
    const signal = AbortSignal.abort();
    await expect(imageFolder(folder, { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});

describe("loadDataset('folder')", () => {
  it('reads a folder by its path, with a spread of as many samples as asked for', async () => {
    await writeTree(folder, { ...(await three('train/')), ...(await three('test/')) });
    const { train, test } = await loadDataset(`folder:${folder}`, { trainSize: 3, testSize: 6 });
    expect([[...train.labels], [...test.labels]]).toEqual([
      [0, 1, 2],
      [0, 0, 1, 1, 2, 2],
    ]);
    const again = await loadDataset('folder', { dataDir: folder, images: { channels: 1, size: 4 } });
    expect(again.train.imageShape).toEqual([4, 4, 1]);
    expect(meanOf(again.train.images)).toBeGreaterThan(20);
    await expect(loadDataset('folder')).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});
