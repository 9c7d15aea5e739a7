// SPDX-License-Identifier: Apache-2.0
// A disk that is full or fails at any moment of packing or downloading: an error that names the file, what was there before,
// and nothing besides it.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type DownloadOptions, download } from '../../lib/data/download.js';
import { packImages } from '../../lib/data/pack.js';
import { readPacked } from '../../lib/data/packed.js';
import { fault, plant } from '../helpers/faulty-disk.js';
import { type Mirror, startMirror } from './mirror.js';
import { picture, writeTree } from './pictures.js';

vi.mock('node:fs/promises', async (original) =>
  (await import('../helpers/faulty-disk.js')).faultyDisk(await original()),
);

let folder: string;
let mirror: Mirror;
const bytes = Uint8Array.from({ length: 60_000 }, (_, i) => (i * 31) % 251);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-disk-'));
  mirror = await startMirror({ 'data.bin': bytes });
  for (const path of ['train/a/1', 'train/b/1', 'train/b/2', 'test/a/1', 'test/b/1']) {
    await writeTree(join(folder, 'in'), { [`${path}.png`]: await picture('png') });
  }
});
afterEach(() => plant(0, '', false));
afterAll(async () => {
  await mirror.close();
  await rm(folder, { recursive: true, force: true });
});

/** Whether call `at` was made and failed; the error that came of it, if any. */
async function withFault(at: number, code: string, forever: boolean, body: () => Promise<unknown>) {
  plant(at, code, forever);
  const error = await body().then(
    () => undefined,
    (thrown) => thrown,
  );
  const { fired } = fault;
  plant(0, '', false);
  return { isFired: fired > 0, error };
}

const cases = [
  ...['ENOSPC', 'EIO'].flatMap((code) => [false, true].map((forever) => [code, forever] as const)),
  ...(['short', 'nothing'] as const).map((code) => [code, true] as const),
];

describe('packImages', () => {
  const file = () => join(folder, 'out', 'x.pack');

  it.each(cases)('with %s at any call, for ever %s', async (code, forever) => {
    await packImages(join(folder, 'in'), file(), { name: 'before' });
    let calls = 0;
    for (let at = 1; ; at++) {
      const run = () => packImages(join(folder, 'in'), file(), { name: 'after' });
      const { isFired, error } = await withFault(at, code, forever, run);
      expect(await readdir(join(folder, 'out')), `call ${at}`).toEqual(['x.pack']);
      const parts = await readPacked(file());
      expect([...parts.values()].map(({ length }) => length).sort(), `call ${at}`).toEqual([2, 3]);
      if (!isFired) break;
      calls = at;
      if (code === 'short') expect(error).toBeUndefined();
      else if (error !== undefined || code !== 'nothing') {
        expect(error, `call ${at}`).toMatchObject({ code: 'ERR_FILE', op: 'packImages' });
        expect(error.received).toContain(file());
        if (code === 'ENOSPC') expect(error.hint).toBe('the disk is full');
      }
      if (forever && code === 'short') break;
    }
    expect(calls).toBeGreaterThan(code === 'short' ? 0 : 9); // two parts, four sections, index, header, sync, rename
  });

  it('leaves no folder that it made', async () => {
    const { error } = await withFault(1, 'ENOSPC', true, () =>
      packImages(join(folder, 'in'), join(folder, 'new', 'deep', 'x.pack')),
    );
    expect(error).toMatchObject({ code: 'ERR_FILE' });
    expect((await readdir(folder)).sort()).toEqual(['in', 'out']);
  });
});

describe('download', () => {
  const target = () => join(folder, 'cache', 'data.bin');
  const get = (way: string, onProgress?: DownloadOptions['onProgress']) =>
    download({
      urls: [`${mirror.url}/${way}/data.bin`],
      ...{ target: target(), onProgress },
      verify: (found) => (Buffer.from(found).equals(bytes) ? undefined : 'wrong checksum'),
    });

  it.each([
    ...cases.map(([code, forever]) => ['good', code, forever] as const),
    ['flaky', 'ENOSPC', true] as const, // takes a note of where it stands
  ])('from a %s mirror with %s at any call, for ever %s', async (way, code, forever) => {
    await rm(target(), { force: true });
    for (let at = 1; ; at++) {
      const { isFired, error } = await withFault(at, code, forever, () => get(way));
      const left = await readdir(join(folder, 'cache'));
      if (error === undefined) {
        expect(left).toEqual(['data.bin']);
        expect((await readFile(target())).equals(bytes)).toBe(true);
        if (!isFired || code === 'short') break;
      } else {
        expect(error, `call ${at}`).toMatchObject({
          code: 'ERR_FILE',
          expected: expect.stringContaining(target()),
        });
        expect(left, `call ${at}`).toEqual([]);
      }
      await rm(target(), { force: true });
    }
  });

  it('from a mirror that is cut when no note of it can be written', async () => {
    await rm(target(), { force: true });
    const running = get('once', ({ receivedBytes }) => {
      if (receivedBytes >= bytes.length / 3) plant(1, 'ENOSPC', true); // all that it gives
    });
    await expect(running).rejects.toMatchObject({ code: 'ERR_DATA' });
    expect(fault.fired).toBe(1);
    expect(await readdir(join(folder, 'cache'))).toEqual([]);
  });
});
