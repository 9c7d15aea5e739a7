// SPDX-License-Identifier: Apache-2.0
// MNIST from small files of the same format, and, where RECEPTIVE_MNIST_DIR names the real ones, from those.
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheFolder } from '../../lib/data/cache.js';
import { fashionMnist } from '../../lib/data/fashion-mnist.js';
import { MNIST_FILES, mnist } from '../../lib/data/mnist.js';
import { findInCacheOrDownload, type PublishedFile } from '../../lib/data/published.js';
import { idxFile } from './idx-file.js';
import { startMirror } from './mirror.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-mnist-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const pixels = (n: number) => Uint8Array.from({ length: n * 784 }, (_, i) => i % 256);
const small = (): Record<string, Uint8Array> => ({
  'train-images-idx3-ubyte': idxFile([3, 28, 28], pixels(3)),
  'train-labels-idx1-ubyte': idxFile([3], [7, 0, 9]),
  't10k-images-idx3-ubyte': idxFile([2, 28, 28], pixels(2)),
  't10k-labels-idx1-ubyte': idxFile([2], [1, 2]),
});
async function write(files: Record<string, Uint8Array>, rename = (name: string) => name): Promise<void> {
  for (const [name, contents] of Object.entries(files)) {
    const path = rename(name);
    await writeFile(join(folder, path), path.endsWith('.gz') ? gzipSync(contents) : contents);
  }
}

describe('mnist from a folder', () => {
  it.each<[string, (name: string) => string]>([
    ['plain', (name) => name],
    ['gzipped', (name) => `${name}.gz`],
    ['plain with a dot', (name) => name.replace('-idx', '.idx')],
    ['gzipped with a dot', (name) => `${name.replace('-idx', '.idx')}.gz`],
  ])('reads the four files, %s', async (_, rename) => {
    await write(small(), rename);
    const { train, test } = await mnist({ dataDir: folder });
    expect(train).toMatchObject({ name: 'mnist', length: 3, imageShape: [28, 28, 1] });
    expect([...train.labels]).toEqual([7, 0, 9]);
    expect(Buffer.from(train.images).equals(pixels(3))).toBe(true);
    expect([...test.labels]).toEqual([1, 2]);
    expect(train.classNames).toHaveLength(10);
    expect(train.normalization).toEqual({ mean: [0.1307], std: [0.3081] });
  });

  it('tells gzip by the contents, not by the name', async () => {
    const files = small();
    for (const name of Object.keys(files)) files[name] = gzipSync(files[name]);
    await write(files);
    expect((await mnist({ dataDir: folder })).train.length).toBe(3);
  });

  it('takes as many as asked for', async () => {
    await write(small());
    const { train, test } = await mnist({ dataDir: folder, trainSize: 2, testSize: 1 });
    expect([train.length, test.length]).toEqual([2, 1]);
    await expect(mnist({ dataDir: folder, trainSize: 0 })).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });

  it('says what is missing', async () => {
    const files = small();
    delete files['t10k-labels-idx1-ubyte'];
    await write(files);
    await expect(mnist({ dataDir: folder })).rejects.toMatchObject({
      code: 'ERR_FILE',
      expected: expect.stringContaining('t10k-labels-idx1-ubyte.gz'),
    });
    await expect(mnist({ dataDir: join(folder, 'nowhere') })).rejects.toMatchObject({
      code: 'ERR_FILE',
      received: 'no folder there',
    });
    await mkdir(join(folder, 't10k-labels-idx1-ubyte'));
    await expect(mnist({ dataDir: folder })).rejects.toMatchObject({ code: 'ERR_FILE', received: 'EISDIR' });
  });

  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    ['a label above 9', { 'train-labels-idx1-ubyte': idxFile([3], [7, 10, 9]) }, /label 10 at index 1/],
    ['labels for other images', { 'train-labels-idx1-ubyte': idxFile([2], [1, 2]) }, /3 labels.*received 2/],
    ['images of another size', { 't10k-images-idx3-ubyte': idxFile([2, 14, 56], pixels(2)) }, /\[14, 56\]/],
    ['images in place of labels', { 't10k-labels-idx1-ubyte': idxFile([2, 28, 28], pixels(2)) }, /swapped/],
    ['a truncated file', { 't10k-images-idx3-ubyte': idxFile([2, 28, 28], pixels(1)) }, /too few/],
  ])('refuses %s, naming the file', async (_, change, message) => {
    await write({ ...small(), ...change });
    await expect(mnist({ dataDir: folder })).rejects.toMatchObject({
      code: 'ERR_DATA',
      op: `reading ${join(folder, Object.keys(change)[0])}`,
      message: expect.stringMatching(message),
    });
  });
});

describe('fashion-mnist', () => {
  it('reads the four files of the same names, with classes and normalisation of its own', async () => {
    await write(small(), (name) => `${name}.gz`);
    const { train, test } = await fashionMnist({ dataDir: folder });
    expect([train.name, train.length, test.length]).toEqual(['fashion-mnist', 3, 2]);
    expect(train.classNames[train.labels[2]]).toBe('Ankle boot');
    expect(train.normalization).toEqual({ mean: [0.286], std: [0.353] });
  });

  it('takes files only as they were published', async () => {
    const packed = Object.entries(small()).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]);
    const mirror = await startMirror(Object.fromEntries(packed));
    try {
      const running = fashionMnist({ cacheDir: folder, mirrors: [`${mirror.url}/good`] });
      await expect(running).rejects.toMatchObject({
        received: expect.stringMatching(/wrong checksum: file/),
      });
    } finally {
      await mirror.close();
    }
  });
});

describe('mnist from cache and mirrors', () => {
  const contents = idxFile([3], [7, 0, 9]);
  const sha256 = createHash('sha256').update(contents).digest('hex');
  const file: PublishedFile = {
    ...{ dataset: 'test', name: 'labels.gz', localNames: [], sha256, of: 'contents', mirrors: [] },
    largest: 2 ** 20,
  };

  it('downloads what the cache lacks, checks the contents, and asks only once', async () => {
    const mirror = await startMirror({ 'labels.gz': gzipSync(contents) });
    try {
      const options = { cacheDir: folder, mirrors: [`${mirror.url}/wrong`, `${mirror.url}/good/`] };
      const first = await findInCacheOrDownload(file, options);
      const second = await findInCacheOrDownload(file, options);
      expect(Buffer.from(first.contents).equals(contents)).toBe(true);
      expect(Buffer.from(second.contents).equals(contents)).toBe(true);
      expect(mirror.requests).toEqual(['/wrong/labels.gz', '/good/labels.gz']);
      expect(await readdir(folder)).toEqual(['labels.gz']);
    } finally {
      await mirror.close();
    }
  });

  it('replaces a damaged file in the cache', async () => {
    const mirror = await startMirror({ 'labels.gz': gzipSync(contents) });
    try {
      await writeFile(join(folder, 'labels.gz'), gzipSync(contents).subarray(0, 20));
      await findInCacheOrDownload(file, { cacheDir: folder, mirrors: [`${mirror.url}/good`] });
      expect(await readFile(join(folder, 'labels.gz'))).toEqual(gzipSync(contents));
    } finally {
      await mirror.close();
    }
  });

  it('refuses files that are not the published ones, wherever a mirror has them from', async () => {
    const packed = Object.entries(small()).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]);
    const mirror = await startMirror(Object.fromEntries(packed));
    try {
      const running = mnist({ cacheDir: folder, mirrors: [`${mirror.url}/good`, `${mirror.url}/gone`] });
      await expect(running).rejects.toMatchObject({
        code: 'ERR_DATA',
        received: expect.stringMatching(/wrong checksum.*; .*status 404/),
      });
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await mirror.close();
    }
  });

  it('finds the cache folder by the environment', () => {
    expect(cacheFolder({ RECEPTIVE_CACHE: '/a', XDG_CACHE_HOME: '/b' })).toBe('/a');
    expect(cacheFolder({ XDG_CACHE_HOME: '/b' })).toBe(join('/b', 'receptive'));
    expect(cacheFolder({})).toMatch(/[\\/]\.cache[\\/]receptive$/);
  });
});

const realFiles = process.env.RECEPTIVE_MNIST_DIR;
describe.skipIf(realFiles === undefined)('the real MNIST (needs RECEPTIVE_MNIST_DIR)', () => {
  it('has 60,000 and 10,000 digits', async () => {
    const { train, test } = await mnist({ dataDir: realFiles });
    expect([train.length, test.length]).toEqual([60_000, 10_000]);
    expect([...train.labels.subarray(0, 8)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3]);
    let sum = 0;
    for (const value of train.images) sum += value;
    expect(sum / train.images.length / 255).toBeCloseTo(0.1307, 4);
  });

  it('passes its checksums when it comes from a mirror, and is then in the cache', async () => {
    const files: Record<string, Uint8Array> = {};
    for (const { name } of Object.values(MNIST_FILES)) {
      files[name] = await readFile(join(realFiles ?? '', name));
    }
    const mirror = await startMirror(files);
    const options = { cacheDir: folder, mirrors: [`${mirror.url}/cut`, `${mirror.url}/good`] };
    try {
      expect((await mnist(options)).train.length).toBe(60_000);
    } finally {
      await mirror.close();
    }
    expect((await mnist(options)).test.length).toBe(10_000);
  });
});
