// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTar, type TarEntry, type TarOptions } from '../../lib/data/tar.js';
import { paxPart, tarFile } from './tar-file.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-tar-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function entriesOf(bytes: Uint8Array, options?: TarOptions): Promise<TarEntry[]> {
  const path = join(folder, 'a.tar');
  await writeFile(path, bytes);
  const entries: TarEntry[] = [];
  for await (const entry of readTar(path, options)) entries.push(entry);
  return entries;
}

const content = (length: number, first = 0) => Uint8Array.from({ length }, (_, i) => (first + i) % 251);
const long = `${'ein langer Ordner/'.repeat(8)}データ/é 1.png`;

describe('readTar', () => {
  it.each([
    ['as it is', (bytes: Uint8Array) => bytes],
    ['gzipped', (bytes: Uint8Array) => gzipSync(bytes)],
  ])('reads an archive %s, with long and foreign names', async (_, pack) => {
    const parts = [
      { path: 'a/', type: '5' },
      { path: 'a/empty' },
      { path: 'a/one block', bytes: content(512) },
      { path: long, bytes: content(700_000, 7) },
      paxPart({ mtime: '1', path: `pax/${long}`, size: '3' }),
      { path: 'short', bytes: content(3) },
      { path: 'a/link', type: '2', target: '/etc/passwd' },
      { path: 'a/device', type: '3' },
    ];
    const entries = await entriesOf(pack(tarFile(parts)));
    expect(entries.map(({ path, kind, size }) => [path, kind, size])).toEqual([
      ['a/', 'folder', 0],
      ['a/empty', 'file', 0],
      ['a/one block', 'file', 512],
      [long, 'file', 700_000],
      [`pax/${long}`, 'file', 3],
      ['a/link', 'link', 0],
      ['a/device', 'other', 0],
    ]);
    expect(Buffer.from(entries[3].bytes ?? []).equals(content(700_000, 7))).toBe(true);
    expect([...(entries[4].bytes ?? [])]).toEqual([0, 1, 2]);
  });

  it('reads what the system tar writes', async () => {
    await mkdir(join(folder, 'in', `ein Ordner ${'y'.repeat(60)}`), { recursive: true });
    await writeFile(
      join(folder, 'in', `ein Ordner ${'y'.repeat(60)}`, `${'x'.repeat(90)}.png`),
      content(1000),
    );
    await symlink('/etc/passwd', join(folder, 'in', 'link'));
    for (const format of ['gnu', 'pax', 'ustar']) {
      const path = join(folder, `${format}.tar`);
      execFileSync('tar', [`--format=${format}`, '-cf', path, '-C', folder, 'in']);
      const kinds: Record<string, string> = {};
      for await (const { path: name, kind, bytes } of readTar(path)) {
        kinds[name] = kind === 'file' ? String(bytes?.length) : kind;
      }
      expect(kinds).toMatchObject({
        'in/link': 'link',
        [`in/ein Ordner ${'y'.repeat(60)}/${'x'.repeat(90)}.png`]: '1000',
      });
    }
  });

  it('keeps only what is wanted and not too large', async () => {
    const parts = [
      { path: 'a', bytes: content(10) },
      { path: 'b', bytes: content(600) },
      { path: 'c', bytes: content(5) },
    ];
    const wants = (path: string) => path !== 'a';
    const entries = await entriesOf(tarFile(parts), { wants, largestFile: 100 });
    expect(entries.map(({ path, size, bytes }) => [path, size, bytes?.length])).toEqual([
      ['a', 10, undefined],
      ['b', 600, undefined],
      ['c', 5, 5],
    ]);
  });

  it('refuses every archive that was cut off', async () => {
    const whole = tarFile([
      { path: 'a', bytes: content(600) },
      { path: 'b', bytes: content(10) },
    ]);
    for (let length = 0; length <= whole.length - 1024; length += 128) {
      await expect(entriesOf(whole.subarray(0, length)), String(length)).rejects.toMatchObject({
        code: 'ERR_DATA',
      });
    }
    const packed = gzipSync(whole);
    for (const length of [1, 5, 30, packed.length - 9, packed.length - 1]) {
      await expect(entriesOf(packed.subarray(0, length)), String(length)).rejects.toMatchObject({
        code: 'ERR_DATA',
      });
    }
  });

  it('refuses a damaged header and a damaged gzip stream', async () => {
    const whole = tarFile([{ path: 'a', bytes: content(600) }]);
    for (const at of [0, 50, 124, 150, 156, 500]) {
      const wrong = Uint8Array.from(whole);
      wrong[at] ^= 1;
      await expect(entriesOf(wrong), String(at)).rejects.toMatchObject({ code: 'ERR_DATA' });
    }
    const packed = Uint8Array.from(gzipSync(content(100_000)));
    packed[packed.length - 8] ^= 1;
    await expect(entriesOf(packed)).rejects.toMatchObject({ code: 'ERR_DATA' });
  });

  it.each([
    ['an empty file', ''],
    ['a file of another kind', 'hello'],
    ['a file of another kind', 'hello '.repeat(200)],
    ['a zip archive', 'PK\x03\x04'],
    ['a packed data set', 'RCPTPACK'.repeat(100)],
    ['a picture', '\xff\xd8\xff\xe0'],
    ['a picture', '\x89PNG'.repeat(200)],
    ['an archive compressed by xz', '\xfd7zXZ'],
  ])('says that a file is no archive, but %s', async (received, text) => {
    for (const pack of [(bytes: Uint8Array) => bytes, gzipSync]) {
      const error = { code: 'ERR_DATA', expected: 'a .tar or .tar.gz archive', received };
      await expect(entriesOf(pack(Buffer.from(text, 'latin1')))).rejects.toMatchObject(error);
    }
  });

  it('tells an archive that is written to while it is read', async () => {
    const path = join(folder, 'a.tar');
    await writeFile(path, tarFile([1, 2, 3].map((n) => ({ path: `${n}`, bytes: content(400_000, n) }))));
    let count = 0;
    const reading = async () => {
      for await (const _ of readTar(path)) if (++count === 1) await appendFile(path, new Uint8Array(512));
    };
    const error = { code: 'ERR_DATA', op: `reading ${path}`, received: 'one that was written to' };
    await expect(reading()).rejects.toMatchObject(error);
    expect(count).toBe(3);
  });

  it('refuses sizes and names beyond reason without asking for their memory', async () => {
    const huge = { path: 'a', claims: 8 ** 11 - 1 };
    await expect(entriesOf(tarFile([huge]))).rejects.toMatchObject({ code: 'ERR_DATA' });
    const name = { path: '././@LongLink', type: 'L', claims: 2 ** 30 };
    await expect(entriesOf(tarFile([name]))).rejects.toThrow(/a name of at most/);
    await expect(entriesOf(tarFile([paxPart({ size: '-5' }), { path: 'a' }]))).rejects.toThrow(/a size/);
  });

  it('stops at a bomb, and at more bytes than asked for', async () => {
    const bomb = gzipSync(tarFile([{ path: 'zeros', bytes: new Uint8Array(80 * 2 ** 20) }]));
    await expect(entriesOf(bomb, { wants: () => false })).rejects.toMatchObject({
      code: 'ERR_DATA',
      expected: expect.stringMatching(/at most 200 bytes for one/),
    });
    const plain = tarFile([{ path: 'a', bytes: content(5000) }]);
    await expect(entriesOf(plain, { largestTotal: 4000 })).rejects.toThrow(/at most 4000 bytes/);
  });

  it('says what is missing, and stops when told to', async () => {
    const missing = async () => {
      for await (const _ of readTar(join(folder, 'none.tar')));
    };
    await expect(missing()).rejects.toMatchObject({ code: 'ERR_FILE' });
    const signal = AbortSignal.abort();
    await expect(entriesOf(tarFile([]), { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
  });
});
