// SPDX-License-Identifier: Apache-2.0
// Pictures out of folders and archives; those that cannot be used are in bad-files.test.ts.
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { imageFolder } from '../../lib/data/folder.js';
import type { ReadImagesOptions } from '../../lib/data/image-source.js';
import { packImages } from '../../lib/data/pack.js';
import { loadDataset } from '../../lib/data/registry.js';
import { colours, picture, three, writeTree } from './pictures.js';
import { partsOf, tarFile } from './tar-file.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-folder-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const meanOf = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
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
    const as = async (space: string, format: 'png' | 'jpeg') =>
      sharp(await picture('png', { colour: [255, 0, 0] }))
        .toColourspace(space)
        .toFormat(format)
        .toBuffer();
    const see = await sharp(await picture('png'))
      .ensureAlpha(0)
      .png()
      .toBuffer();
    const source = join(folder, 'in');
    await writeTree(source, {
      'a/grey.png': await as('b-w', 'png'),
      'a/grey.jpg': await as('b-w', 'jpeg'),
      'a/cmyk.jpg': await as('cmyk', 'jpeg'),
      'b/deep.png': await as('rgb16', 'png'),
      'b/deep grey.png': await as('grey16', 'png'),
      'b/misnamed.jpg': await picture('png'),
      'b/see-through.png': see,
    });
    const { train, test, report } = await imageFolder(source, { size: [6, 8] });
    const converted = { grey: 3, cmyk: 1, '16-bit': 2, misnamed: 1 };
    expect(report.converted).toEqual(converted);
    expect([train.length + test.length, ...train.imageShape]).toEqual([7, 6, 8, 3]);
    const one = await imageFolder(source, { channels: 1 });
    expect(one.train.imageShape).toEqual([6, 8, 1]);
    expect(one.report.converted).toEqual({ cmyk: 1, '16-bit': 2, misnamed: 1 });
    await writeFile(join(folder, 'in.tar'), tarFile(await partsOf(source)));
    const archived = await imageFolder(join(folder, 'in.tar'));
    const file = join(folder, 'in.pack');
    const packed = { report: await packImages(source, file), ...(await loadDataset(`packed:${file}`)) };
    for (const other of [archived, packed]) {
      expect(other.report.converted).toEqual(converted);
      expect(other.train.images).toEqual(train.images);
      expect(other.test.images).toEqual(test.images);
    }
  });

  it('follows links inside the folder', async () => {
    await writeTree(folder, { 'a/1.png': await picture('png'), 'a/2.png': await picture('png') });
    await mkdir(join(folder, 'b'));
    await symlink('../a/1.png', join(folder, 'b', '1.png'));
    await symlink(join(folder, 'a', '2.png'), join(folder, 'b', '2.png'));
    expect((await imageFolder(folder)).train.classNames).toEqual(['a', 'b']);
  });

  it('takes a class for the same however its name is written', async () => {
    const source = join(folder, 'in');
    await writeTree(source, {
      'cafe\u0301/1.png': await picture('png'), // as macOS writes it
      'caf\u00e9/2.png': await picture('png'),
      'thé vert/1 2.png': await picture('png'),
      'thé vert/3.png': await picture('png'),
    });
    await writeFile(join(folder, 'in.tar'), tarFile(await partsOf(source)));
    for (const path of [source, join(folder, 'in.tar')]) {
      const { train, test } = await imageFolder(path);
      expect([train.classNames, train.length + test.length]).toEqual([['caf\u00e9', 'thé vert'], 4]);
    }
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
    const error = { code: 'ERR_ARGUMENT', expected: expect.stringContaining(expected) };
    await expect(imageFolder(folder, options as ReadImagesOptions)).rejects.toMatchObject(error);
    const file = join(folder, 'new', 'x.pack');
    await expect(packImages(folder, file, options as ReadImagesOptions)).rejects.toMatchObject(error);
    expect(await readdir(folder)).toEqual([]);
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
