// SPDX-License-Identifier: Apache-2.0
// Downloads from a server on this machine that fails in every way a mirror can.
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DownloadOptions, type DownloadProgress, download } from '../../lib/data/download.js';
import { closedPort, type Mirror, startMirror } from './mirror.js';

const file = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) % 251);
let mirror: Mirror;
let folder: string;
let target: string;

beforeAll(async () => {
  mirror = await startMirror({ 'data.bin': file });
});
afterAll(() => mirror.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'receptive-download-'));
  target = join(folder, 'cache', 'data.bin');
  mirror.requests.length = 0;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const from = (...ways: string[]) =>
  ways.map((way) => (way.includes(':') ? way : `${mirror.url}/${way}/data.bin`));
const verify = (contents: Uint8Array) => (Buffer.from(contents).equals(file) ? undefined : 'wrong checksum');
const get = (urls: string[], more: Partial<DownloadOptions> = {}) =>
  download({ urls, target, verify, timeout: 2_000, ...more });
const leftOver = () => readdir(join(folder, 'cache')).catch(() => []);

describe('download', () => {
  it.each(['good', 'chunked', 'moved'])('gets a file from a %s mirror', async (way) => {
    const contents = await get(from(way));
    expect(Buffer.from(contents).equals(file)).toBe(true);
    expect((await readFile(target)).equals(file)).toBe(true);
    expect(await leftOver()).toEqual(['data.bin']);
  });

  it('tells how far it is', async () => {
    const steps: DownloadProgress[] = [];
    await get(from('good'), { onProgress: (step) => steps.push(step) });
    expect(steps.at(-1)).toEqual({
      file: 'data.bin',
      url: from('good')[0],
      receivedBytes: file.length,
      totalBytes: file.length,
    });
    const received = steps.map((step) => step.receivedBytes);
    expect(received).toEqual([...received].sort((a, b) => a - b));
  });

  it.each(['wrong', 'cut', 'cut-chunked', 'gone', 'broken', 'stalled', 'silent'])(
    'leaves a %s mirror for the next',
    async (way) => {
      const contents = await get(from(way, 'good', 'chunked'), { timeout: 300 });
      expect(Buffer.from(contents).equals(file)).toBe(true);
      expect(mirror.requests).toEqual([`/${way}/data.bin`, '/good/data.bin']);
      expect(await leftOver()).toEqual(['data.bin']);
    },
  );

  it('waits for a mirror that is slow but never silent for long', async () => {
    await get(from('slow', 'good'), { timeout: 300 }); // takes twice that
    expect(mirror.requests).toEqual(['/slow/data.bin']);
  });

  it('leaves a mirror where nothing listens, and an address that is none', async () => {
    const closed = await closedPort();
    await get([`${closed}/data.bin`, 'no address', ...from('good')]);
    expect(await leftOver()).toEqual(['data.bin']);
  });

  it('gives each reason when no mirror has the file, and leaves nothing', async () => {
    const closed = await closedPort();
    const urls = [...from('wrong', 'cut', 'cut-chunked', 'gone', 'broken', 'stalled'), `${closed}/data.bin`];
    const error = await get(urls, { timeout: 300 }).catch((e: Error) => e);
    expect(error).toMatchObject({ code: 'ERR_DATA', hint: expect.stringMatching(/dataDir/) });
    const reasons = (error as unknown as { received: string }).received.split('; ');
    expect(reasons.map((reason, i) => reason.replace(`${urls[i]}: `, ''))).toEqual([
      'wrong checksum',
      expect.stringMatching(/\S/),
      expect.stringMatching(/\S/),
      'status 404 Not Found',
      'status 500 Internal Server Error',
      'nothing came for 300 ms',
      expect.stringMatching(/ECONNREFUSED/),
    ]);
    expect(await leftOver()).toEqual([]);
  });

  it('keeps what was at the target when all mirrors fail', async () => {
    await get(from('good'));
    await writeFile(target, 'older');
    await expect(get(from('wrong'))).rejects.toMatchObject({ code: 'ERR_DATA' });
    expect(await readFile(target, 'utf8')).toBe('older');
    expect(await leftOver()).toEqual(['data.bin']);
  });

  it('stops a mirror that sends more than it may', async () => {
    await expect(get(from('chunked'), { largest: 1000 })).rejects.toThrow(/more than 1000 bytes/);
    expect(await leftOver()).toEqual([]);
  });

  it('stops at an abort signal, before and during, without trying the next mirror', async () => {
    const before = AbortSignal.abort();
    await expect(get(from('good'), { signal: before })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(mirror.requests).toEqual([]);
    const control = new AbortController();
    const running = get(from('stalled', 'good'), {
      signal: control.signal,
      onProgress: () => control.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(mirror.requests).toEqual(['/stalled/data.bin']);
    expect(await leftOver()).toEqual([]);
  });

  it('passes on what the progress callback throws, and leaves nothing', async () => {
    const onProgress = () => {
      throw new TypeError('mine');
    };
    await expect(get(from('good', 'chunked'), { onProgress })).rejects.toThrow(new TypeError('mine'));
    expect(mirror.requests).toEqual(['/good/data.bin']);
    expect(await leftOver()).toEqual([]);
  });

  it('says at once when the target cannot be written', async () => {
    const occupied = join(folder, 'occupied');
    await writeFile(occupied, 'a file, not a folder');
    const running = get(from('good', 'chunked'), { target: join(occupied, 'data.bin') });
    await expect(running).rejects.toMatchObject({
      code: 'ERR_FILE',
      hint: expect.stringMatching(/RECEPTIVE_CACHE/),
    });
    expect(mirror.requests).toEqual([]);
  });

  it('asks a mirror that was cut for the rest, until the file is whole', async () => {
    const received: number[] = [];
    const contents = await get(from('flaky', 'gone'), {
      onProgress: (step) => {
        received.push(step.receivedBytes);
        expect(step.totalBytes).toBe(file.length);
      },
    });
    expect(Buffer.from(contents).equals(file)).toBe(true);
    expect(mirror.requests).toEqual(Array(3).fill('/flaky/data.bin'));
    expect(received).toEqual([...received].sort((a, b) => a - b));
    expect(await leftOver()).toEqual(['data.bin']);
  });

  it('goes on in a later call where an earlier one was stopped', async () => {
    const control = new AbortController();
    const first = get(from('flaky'), { signal: control.signal, onProgress: () => control.abort() });
    await expect(first).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(await leftOver()).toHaveLength(2); // the part and the note
    const received: number[] = [];
    await get(from('flaky'), { onProgress: (step) => received.push(step.receivedBytes) });
    expect(received[0]).toBeGreaterThan(1 + file.length / 100);
    expect((await readFile(target)).equals(file)).toBe(true);
    expect(await leftOver()).toEqual(['data.bin']);
  });

  it('takes over what a killed download left, but not what one is writing', async () => {
    const cache = join(folder, 'cache');
    await mkdir(cache);
    const [url] = from('flaky');
    const leave = async (name: string, bytes: Uint8Array, validator: string) => {
      await writeFile(join(cache, `data.bin.${name}.part`), bytes);
      await writeFile(
        join(cache, `data.bin.${name}.json`),
        JSON.stringify({ url, validator, released: false }),
      );
    };
    await leave('alive', file.subarray(0, 10), '"1"');
    await leave('dead', file.subarray(0, 150_000), '"1"');
    await utimes(join(cache, 'data.bin.dead.part'), new Date(0), new Date(0));
    await get([url]);
    expect(mirror.requests).toHaveLength(1); // the last quarter, less than a third
    expect((await leftOver()).sort()).toEqual(['data.bin', 'data.bin.alive.json', 'data.bin.alive.part']);
  });

  it('takes away what killed downloads left that nobody can go on with', async () => {
    const cache = join(folder, 'cache');
    await mkdir(cache);
    const id = (n: number) => `data.bin.00000000-0000-4000-8000-00000000000${n}`;
    const left: [name: string, bytes: string][] = [
      [`${id(1)}.part`, 'no note'],
      [`${id(2)}.part`, 'a note that was cut'],
      [`${id(2)}.json`, '{"url":"http'],
      [`${id(3)}.json`, 'a note of nothing'],
    ];
    const kept = [`${id(4)}.part`, 'data.bin.old.part', 'other.bin.json']; // being written; not ours
    for (const [name, bytes] of [...left, ...kept.map((name) => [name, ''] as const)]) {
      await writeFile(join(cache, name), bytes);
      if (name !== kept[0]) await utimes(join(cache, name), new Date(0), new Date(0));
    }
    await expect(get(from('gone'))).rejects.toMatchObject({ code: 'ERR_DATA' });
    expect((await leftOver()).sort()).toEqual([...kept].sort());
    await get(from('good'));
    expect((await leftOver()).sort()).toEqual(['data.bin', ...kept].sort());
  });

  it('begins again where the file has changed meanwhile, and never mixes two', async () => {
    await expect(get(from('changed'))).rejects.toMatchObject({ code: 'ERR_DATA' });
    expect(await leftOver()).toHaveLength(2); // a part and its note
    await get(from('changed', 'good'));
    expect((await readFile(target)).equals(file)).toBe(true);
    expect(await leftOver()).toEqual(['data.bin']);
  });

  it('drops a part that makes a wrong file', async () => {
    const cache = join(folder, 'cache');
    await mkdir(cache);
    const [url] = from('flaky');
    await writeFile(join(cache, 'data.bin.x.part'), new Uint8Array(150_000));
    await writeFile(
      join(cache, 'data.bin.x.json'),
      JSON.stringify({ url, validator: '"1"', released: true }),
    );
    await expect(get([url])).rejects.toMatchObject({ received: expect.stringMatching(/wrong checksum/) });
    expect(await leftOver()).toEqual([]);
    await get([url]);
    expect((await readFile(target)).equals(file)).toBe(true);
  });

  it('leaves a mirror that gives no more, and keeps what it gave for a later call', async () => {
    await expect(get(from('once'))).rejects.toMatchObject({ received: expect.stringMatching(/status 503/) });
    expect(mirror.requests).toEqual(['/once/data.bin', '/once/data.bin']);
    const [part] = (await leftOver()).filter((name) => name.endsWith('.part'));
    const kept = await readFile(join(folder, 'cache', part));
    expect(kept.length).toBeGreaterThan(file.length / 4);
    expect(kept.equals(file.subarray(0, kept.length))).toBe(true);
    await get(from('once', 'good'));
    expect(mirror.requests.slice(2)).toEqual(['/once/data.bin', '/good/data.bin']);
    expect(await leftOver()).toEqual(['data.bin']);
    expect((await readFile(target)).equals(file)).toBe(true);
  });

  it('drops a part that the mirror has no rest for', async () => {
    const cache = join(folder, 'cache');
    await mkdir(cache);
    const [url] = from('short');
    await writeFile(join(cache, 'data.bin.x.part'), file);
    await writeFile(
      join(cache, 'data.bin.x.json'),
      JSON.stringify({ url, validator: '"1"', released: true }),
    );
    await expect(get([url])).rejects.toMatchObject({ received: expect.stringMatching(/status 416/) });
    expect(await leftOver()).toEqual([]);
  });

  it('refuses to run without mirrors', async () => {
    await expect(get([])).rejects.toMatchObject({ code: 'ERR_ARGUMENT' });
  });
});
