// SPDX-License-Identifier: Apache-2.0
// All that can be wrong with the pictures of folders and archives, read into memory or packed: each is refused by its name, or left
// out and counted.
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { imageFolder } from '../../lib/data/folder.js';
import type { ReadImagesOptions } from '../../lib/data/image-source.js';
import { packImages } from '../../lib/data/pack.js';
import { readPacked } from '../../lib/data/packed.js';
import { picture, pngChunk, pngFile, three, writeTree } from './pictures.js';
import { partsOf, type TarPart, tarFile } from './tar-file.js';

/** Folders that the system does not list: for root, who may run these tests, permissions take nothing away. */
const unlisted = vi.hoisted(() => new Set<string>());
/** What happens to a file before it is opened, and once its first bytes are read. */
const meanwhile = vi.hoisted(() => ({
  before: new Map<string, () => Promise<void>>(),
  during: new Map<string, () => Promise<void>>(),
}));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const readdir = async (path: string, options: { withFileTypes: true }) => {
    if (unlisted.has(path)) throw new Error(`EACCES: permission denied, scandir '${path}'`);
    return real.readdir(path, options);
  };
  const open = async (path: string, flags?: string) => {
    await meanwhile.before.get(path)?.();
    const file = await real.open(path, flags);
    const change = meanwhile.during.get(path);
    if (change === undefined) return file;
    const read = file.read.bind(file);
    return Object.assign(file, {
      read: async (bytes: Uint8Array, offset: number, length: number, position: number) => {
        const result = await read(bytes, offset, length, position);
        await change();
        return result;
      },
    });
  };
  return { ...real, readdir, open };
});

let folder: string;
let source: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-bad-'));
  source = join(folder, 'in');
  await writeTree(source, await three());
});
afterEach(() => {
  unlisted.clear();
  meanwhile.before.clear();
  meanwhile.during.clear();
  return rm(folder, { recursive: true, force: true });
});

const WAYS = ['a folder', 'an archive', 'a folder to pack', 'an archive to pack'] as const;
type Way = (typeof WAYS)[number];

/** Writes the folder as an archive, with more parts behind. */
async function archive(...more: TarPart[]): Promise<string> {
  const path = join(folder, 'in.tar');
  await writeFile(path, tarFile([...(await partsOf(source)), ...more]));
  return path;
}

/** Reads the pictures in one of the ways. What is refused leaves nothing behind. */
async function read(way: Way, options: ReadImagesOptions = {}, more: TarPart[] = []) {
  const path = way.startsWith('an archive') ? await archive(...more) : source;
  if (!way.endsWith('pack')) {
    const { train, test, report } = await imageFolder(path, options);
    return { report, length: train.length + test.length, classNames: train.classNames };
  }
  const file = join(folder, 'out', 'x.pack');
  try {
    const report = await packImages(path, file, options);
    const parts = [...(await readPacked(file)).values()];
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    await rm(join(folder, 'out'), { recursive: true });
    return { report, length, classNames: parts[0].classNames };
  } catch (error) {
    expect((await readdir(folder)).filter((name) => !name.startsWith('in'))).toEqual([]);
    throw error;
  }
}

/** A file as errors name it. */
const nameOf = (way: Way, path: string) =>
  way.startsWith('an archive') ? `${join(folder, 'in.tar')}:${path}` : join(source, path);

describe('a file that cannot be used', () => {
  type Make = (path: string) => Promise<Buffer | undefined>;
  const cut = async (format: 'jpeg' | 'png' | 'webp', side: number, bytes: number) =>
    (await picture(format, { width: side, height: side })).subarray(0, -bytes);
  const webp = () =>
    sharp(Buffer.concat([Buffer.alloc(8 * 6 * 3, 7), Buffer.alloc(8 * 6 * 3, 200)]), {
      raw: { width: 8, height: 12, channels: 3, pageHeight: 6 },
    })
      .webp({ delay: [10, 10] })
      .toBuffer();
  const bad: [string, string, Make][] = [
    ['empty', 'no picture', async () => Buffer.alloc(0)],
    ['text', 'no picture', async () => Buffer.from('hello, I am no picture at all')],
    ['truncated JPEG', 'damaged', () => cut('jpeg', 64, 200)],
    ['truncated PNG', 'damaged', () => cut('png', 8, 30)],
    ['truncated WebP', 'damaged', () => cut('webp', 40, 12)],
    ['cut in the header', 'no picture', async () => (await picture('jpeg')).subarray(0, 30)],
    [
      'corrupt',
      'damaged',
      async () => {
        const bytes = await picture('png', { width: 64, height: 64 });
        return Buffer.from(
          bytes.map((byte, i) => (i > bytes.length / 2 && i < bytes.length - 30 ? 85 : byte)),
        );
      },
    ],
    ['giant claim', 'too many pixels', async () => pngFile(100_000, 100_000)],
    ['animated PNG', 'animated', async () => pngFile(8, 6, { extra: [pngChunk('acTL', Buffer.alloc(8))] })],
    ['animated WebP', 'animated', webp],
    ['GIF under another name', 'no picture', async () => Buffer.from('GIF89a\x08\x00\x06\x00\x00')],
    [
      'SVG under another name',
      'no picture',
      async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
    ],
    ['another size', 'another size', () => picture('png', { width: 9 })],
    ['link out of the folder', 'link', async (path) => void (await symlink('/etc/hostname', path))],
    ['link to a folder outside', 'link', async (path) => void (await symlink(tmpdir(), path))],
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
  const PATH = 'sky blue/z.png';
  const ofFolders = ['link', 'too large']; // what archives have of it is below
  const cases = WAYS.flatMap((way) =>
    bad
      .filter(([, reason]) => way.startsWith('a folder') || !ofFolders.includes(reason))
      .map((row) => [way, ...row] as const),
  );

  it.each(cases)('in %s, refused and left out: %s', async (way, _, reason, make) => {
    const path = join(source, PATH);
    const bytes = await make(path);
    if (bytes !== undefined) await writeFile(path, bytes);
    const name = nameOf(way, PATH);
    await expect(read(way)).rejects.toMatchObject({ code: 'ERR_DATA', op: `reading ${name}` });
    const { report, length, classNames } = await read(way, { onBad: 'skip' });
    expect([length, report.images, classNames.length]).toEqual([9, 9, 3]);
    expect(report.skipped).toEqual({ [reason]: 1 });
    expect(report.examples).toEqual([expect.stringContaining(name)]);
  });

  it.each<[string, string, TarPart]>([
    ['an absolute path', 'unsafe path', { path: '/red/x.png' }],
    ['a path upwards', 'unsafe path', { path: 'red/../../x.png' }],
    ['a path of Windows', 'unsafe path', { path: 'C:\\red\\x.png' }],
    ['a symbolic link', 'link', { path: 'red/x.png', type: '2', target: '/etc/passwd' }],
    ['a hard link', 'link', { path: 'red/x.png', type: '1', target: 'red/a picture.png' }],
    ['a device', 'device', { path: 'red/x.png', type: '3' }],
  ])('in an archive, refused and left out: %s', async (_, reason, part) => {
    for (const way of ['an archive', 'an archive to pack'] as const) {
      const op = `reading ${nameOf(way, part.path)}`;
      await expect(read(way, {}, [part])).rejects.toMatchObject({ code: 'ERR_DATA', op });
      const { report } = await read(way, { onBad: 'skip' }, [part]);
      expect(report).toMatchObject({ images: 9, skipped: { [reason]: 1 } });
    }
  });

  it.each(['appendFile', 'rm'] as const)('one that changes while it is read, by %s', async (how) => {
    const path = join(source, 'red', 'a picture.png');
    if (how === 'rm') meanwhile.before.set(path, () => rm(path));
    else meanwhile.during.set(path, () => appendFile(path, 'x'));
    const { report } = await read('a folder', { onBad: 'skip' });
    const reason = how === 'rm' ? 'unreadable' : 'changed while it was read';
    expect([report.images, report.skipped]).toEqual([8, { [reason]: 1 }]);
    await writeTree(source, await three());
    await expect(read('a folder to pack')).rejects.toMatchObject({ code: 'ERR_DATA', op: `reading ${path}` });
  });

  it('one of the same length that is written to while it is read', async () => {
    const path = join(source, 'red', 'a picture.png');
    const other = await picture('png');
    meanwhile.during.set(path, () => writeFile(path, other));
    await writeFile(path, other);
    await utimes(path, 1, 1); // the clock of some file systems stands still for milliseconds
    const error = { code: 'ERR_DATA', received: 'changed while it was read' };
    await expect(read('a folder')).rejects.toMatchObject(error);
  });
});

describe('classes', () => {
  it('tells empty ones and pictures in no class', async () => {
    await mkdir(join(source, 'empty one'));
    const more = [{ path: 'empty one/', type: '5' }];
    for (const way of WAYS) {
      const op = `reading ${nameOf(way, 'empty one')}`;
      await expect(read(way, {}, more)).rejects.toMatchObject({ code: 'ERR_DATA', op });
    }
    await writeTree(source, { 'stray.jpg': await picture('jpeg') });
    for (const way of WAYS) {
      const op = `reading ${nameOf(way, 'stray.jpg')}`;
      const error = {
        code: 'ERR_DATA',
        op,
        received: 'in no class',
        hint: expect.stringContaining('<class>'),
      };
      await expect(read(way, {}, more)).rejects.toMatchObject(error);
      const { report, classNames } = await read(way, { onBad: 'skip' }, more);
      expect(classNames).toHaveLength(3);
      expect(report.skipped).toEqual({ 'empty class': 1, 'in no class': 1 });
    }
  });

  it('tells those whose pictures are all bad', async () => {
    await writeTree(source, { 'bad ones/1.png': Buffer.from('bad'), 'bad ones/2.png': Buffer.from('bad') });
    for (const way of WAYS) {
      const { report, classNames } = await read(way, { onBad: 'skip' });
      expect([classNames.length, report.skipped]).toEqual([3, { 'no picture': 2, 'empty class': 1 }]);
    }
  });

  it.each(WAYS)('tells those that cannot be divided, but packs them: %s', async (way) => {
    await writeTree(source, { 'one/1.png': await picture('png') });
    if (way.endsWith('pack')) {
      expect((await read(way)).classNames).toHaveLength(4);
      return;
    }
    const name = nameOf(way, way === 'a folder' ? 'one' : 'one/1.png');
    const error = { code: 'ERR_DATA', op: `reading ${name}`, received: 'one-file class' };
    await expect(read(way)).rejects.toMatchObject(error);
    const { report, length, classNames } = await read(way, { onBad: 'skip' });
    expect([length, report.images, classNames.length]).toEqual([9, 9, 3]);
    expect(report.skipped).toEqual({ 'one-file class': 1 });
  });

  it('takes one picture of each to train with where others are to test with', async () => {
    await rm(source, { recursive: true });
    for (const path of ['train/a/1', 'train/b/1', 'val/a/1']) {
      await writeTree(source, { [`${path}.png`]: await picture('png') });
    }
    for (const way of WAYS) expect((await read(way)).length).toBe(3);
  });

  it.each(WAYS)('leaves out those that were never trained: %s', async (way) => {
    await rm(source, { recursive: true });
    for (const path of ['train/b/1', 'test/a/1', 'test/b/1', 'test/b/2', 'test/c/1']) {
      await writeTree(source, { [`${path}.png`]: await picture('png') });
    }
    await expect(read(way)).rejects.toThrow(/"[ac]" has no pictures to train with/);
    const { report, length, classNames } = await read(way, { onBad: 'skip' });
    expect([length, report.images, classNames]).toEqual([3, 3, ['b']]);
    expect(report.skipped).toEqual({ 'empty class': 2 });
  });
});

describe('folders', () => {
  it('reads each once, whatever circles links make, and however deep they are', async () => {
    await writeTree(source, { [`red/${'deeper/'.repeat(30)}1.png`]: await picture('png') });
    await symlink('..', join(source, 'red', 'up'));
    await symlink('deeper', join(source, 'red', 'again'));
    await symlink('.', join(source, 'root'));
    await symlink('../../red', join(source, 'red', 'deeper', 'back'));
    for (const way of ['a folder', 'a folder to pack'] as const) {
      await expect(read(way)).rejects.toMatchObject({
        code: 'ERR_DATA',
        received: expect.stringMatching(/^link: it leads to a folder/),
      });
      const { report, classNames } = await read(way, { onBad: 'skip' });
      expect([report.images, classNames.length]).toEqual([10, 3]);
      expect(report.skipped).toEqual({ link: 4, 'empty class': 1 });
    }
  });

  it.each(['', '/deeper'])('tells one that cannot be listed: a class%s', async (below) => {
    const path = join(source, `locked${below}`);
    await writeTree(source, { 'locked/deeper/1.png': await picture('png') });
    unlisted.add(path);
    await expect(read('a folder')).rejects.toMatchObject({ code: 'ERR_DATA', op: `reading ${path}` });
    const { report } = await read('a folder', { onBad: 'skip' });
    expect(report).toMatchObject({ images: 9, skipped: { unreadable: 1, 'empty class': 1 } });
    expect(report.examples[0]).toContain(`${path}: unreadable: EACCES`);
  });

  it('does not go on where the root cannot be listed, or is none', async () => {
    unlisted.add(source);
    for (const path of [source, join(folder, 'none')]) {
      await expect(imageFolder(path, { onBad: 'skip' })).rejects.toMatchObject({ code: 'ERR_FILE' });
      await expect(packImages(path, join(folder, 'x.pack'))).rejects.toMatchObject({ code: 'ERR_FILE' });
    }
    for (const path of [undefined, 5, '']) {
      await expect(imageFolder(path as string)).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
    }
  });

  it('says what one should look like that has no pictures', async () => {
    await rm(source, { recursive: true });
    await mkdir(source);
    for (const way of WAYS) {
      await expect(read(way)).rejects.toMatchObject({
        code: 'ERR_DATA',
        hint: expect.stringContaining('<class>'),
      });
    }
  });
});

describe('archives', () => {
  const bad = (claims: number) => ({ path: 'red/x.png', claims });
  it.each<[string, (parts: TarPart[]) => Uint8Array]>([
    ['cut off', (parts) => tarFile(parts).subarray(0, -2000)],
    ['with a file beyond their end', (parts) => tarFile([...parts, bad(2 ** 27)])],
    ['with a size beyond reason', (parts) => tarFile([...parts, bad(8 ** 11 - 1)])],
    ['compressed and cut off', (parts) => gzipSync(tarFile(parts)).subarray(0, -20)],
    ['a bomb', () => gzipSync(tarFile([{ path: 'red/x.png', bytes: new Uint8Array(80 * 2 ** 20) }]))],
  ])('are refused as a whole, whatever is done with bad files, when they are %s', async (_, make) => {
    const path = join(folder, 'in.tar');
    await writeFile(path, make(await partsOf(source)));
    const file = join(folder, 'x.pack');
    const error = { code: 'ERR_DATA', op: `reading ${path}` };
    await expect(imageFolder(path, { onBad: 'skip' })).rejects.toMatchObject(error);
    await expect(packImages(path, file, { onBad: 'skip' })).rejects.toMatchObject(error);
    expect(await readdir(folder)).toEqual(['in', 'in.tar']);
  });

  it.each<[string, string[], string]>([
    ['a folder beside the one around all', ['all/red/1', 'all/blue/1', 'else/green/1'], 'else/green/1'],
    ['classes with folders', ['red/old/1', 'blue/1'], 'blue/1'],
    ['parts behind classes', ['red/1', 'train/red/1'], 'train/red/1'],
  ])('are refused where paths contradict each other: %s', async (_, paths, wrong) => {
    const bytes = await picture('png');
    const path = join(folder, 'in.tar');
    await writeFile(path, tarFile(paths.map((name) => ({ path: `${name}.png`, bytes }))));
    await expect(imageFolder(path, { onBad: 'skip' })).rejects.toMatchObject({
      ...{ code: 'ERR_DATA', op: `reading ${path}:${wrong}.png`, hint: expect.stringContaining('unpack') },
    });
  });

  it('tell of pictures beside the parts', async () => {
    const bytes = await picture('png');
    const path = join(folder, 'in.tar');
    const names = ['in/train/a/1', 'in/train/b/1', 'in/test/a/1', 'in/more/a/1', 'in/1'];
    await writeFile(path, tarFile(names.map((name) => ({ path: `${name}.png`, bytes }))));
    const { report } = await imageFolder(path, { onBad: 'skip' });
    expect([report.images, report.skipped]).toEqual([3, { 'in no class': 2 }]);
  });
});
