// SPDX-License-Identifier: Apache-2.0
// One file from the first mirror that has it whole. It is written beside its target under another name, checked,
// synced and only then renamed, so the target is either absent or right, whatever is cut, wrong or killed. What was cut goes
// on where it stood, in the same call or a later one, where the mirror can send the rest of the same file.

import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { fail, type ReceptiveError } from '../errors.js';
import { makeFolder } from '../io/atomic-file.js';
import { type Origin, PartialFile } from './partial.js';

/** How far a download is. */
export interface DownloadProgress {
  /** The name of the file that is written. */
  readonly file: string;
  readonly url: string;
  readonly receivedBytes: number;
  /** As the mirror announced it, if it did. */
  readonly totalBytes: number | undefined;
}

export interface DownloadOptions {
  /** Where the file may be, best first. */
  readonly urls: readonly string[];
  /** The path to write; folders are made as needed. */
  readonly target: string;
  /** Says what is wrong with the contents, or nothing where they are right. */
  readonly verify: (contents: Uint8Array) => string | undefined | Promise<string | undefined>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Milliseconds without a byte after which a mirror is given up; default 30,000. */
  readonly timeout?: number | undefined;
  /** The most bytes that are taken; default 2^30. */
  readonly largest?: number | undefined;
}

const DEFAULT_TIMEOUT = 30_000;

/** What one mirror did wrong: a reason to try the next, never the caller's error. */
class MirrorFailure extends Error {}

/**
 * Downloads a file.
 *
 * @returns the contents, as they now lie at `target`
 * @throws ERR_DATA with each mirror's reason when none had the file; ERR_FILE when it cannot be written;
 *   ERR_ABORTED when the signal said so; ERR_ARGUMENT without mirrors
 */
export async function download(options: DownloadOptions): Promise<Uint8Array> {
  const { urls, target } = options;
  if (urls.length === 0) {
    throw fail('ERR_ARGUMENT', { op: 'download', expected: 'at least one mirror', received: 'none' });
  }
  const reasons: string[] = [];
  for (const url of urls) {
    try {
      return await downloadFrom(url, options);
    } catch (error) {
      if (!(error instanceof MirrorFailure)) throw error;
      reasons.push(`${url}: ${error.message}`);
    }
  }
  throw fail('ERR_DATA', {
    op: `downloading ${basename(target)}`,
    expected: 'one of the mirrors to have the file',
    received: reasons.join('; '),
    hint: 'without a network, pass the folder that holds the files as dataDir (--data-dir)',
  });
}

/** How often a mirror that was cut is asked for the rest, as long as each time brings more. */
const MOST_RESUMES = 10;

async function downloadFrom(url: string, options: DownloadOptions): Promise<Uint8Array> {
  const { target, verify, signal, timeout = DEFAULT_TIMEOUT } = options;
  throwIfAborted(target, signal);
  const partial = await onDisk(target, async () => {
    await makeFolder(resolve(dirname(target)));
    return PartialFile.open(target, url, 2 * timeout);
  });
  let isWhole = false;
  try {
    try {
      await receiveAll(url, partial, options);
      isWhole = true;
      await onDisk(target, () => partial.file.sync());
    } finally {
      await onDisk(target, () => partial.file.close());
    }
    const contents = await onDisk(target, () => readFile(partial.path));
    const wrong = await verify(contents);
    if (wrong !== undefined) throw new MirrorFailure(wrong);
    throwIfAborted(target, signal);
    await onDisk(target, () => partial.rename(target, 2 * timeout));
    return contents;
  } catch (error) {
    const isCut = !isWhole && (error instanceof MirrorFailure || signal?.aborted === true);
    await (isCut ? partial.release() : partial.remove());
    throw error;
  }
}

/** Streams the body of `url` into the file, and asks for the rest where it was cut. */
async function receiveAll(url: string, partial: PartialFile, options: DownloadOptions): Promise<void> {
  for (let resumes = 0; ; resumes++) {
    const before = partial.size;
    try {
      return await receive(url, partial, options);
    } catch (error) {
      const canGoOn = partial.origin !== undefined && partial.size > before && resumes < MOST_RESUMES;
      if (!(error instanceof MirrorFailure) || !canGoOn) throw error;
    }
  }
}

/** Receives what the file lacks. */
async function receive(url: string, partial: PartialFile, options: DownloadOptions): Promise<void> {
  const { target, signal, onProgress, timeout = DEFAULT_TIMEOUT, largest = 2 ** 30 } = options;
  const control = new AbortController();
  const onAbort = () => control.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    control.abort();
  }, timeout);
  const explain = (error: unknown): Error => {
    if (signal?.aborted) return aborted(target);
    return new MirrorFailure(timedOut ? `nothing came for ${timeout} ms` : reasonOf(error));
  };

  try {
    // Without compression on the way, the announced length is the length of the file. fetch itself holds a body to it:
    // reading one that ends early throws.
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (partial.origin !== undefined && partial.size > 0) {
      headers.range = `bytes=${partial.size}-`;
      headers['if-range'] = partial.origin.validator; // another file by now: all of it comes, with status 200
    }
    const response = await fetch(url, { headers, signal: control.signal }).catch((error: unknown) => {
      throw explain(error);
    });
    const isRest = response.status === 206 && startOf(response) === partial.size;
    const refusal = `status ${response.status} ${response.statusText}`.trim();
    // A busy or broken server says nothing about the part; 416 says that its file has no such rest
    if (!response.ok && response.status !== 416) throw new MirrorFailure(refusal);
    if (!isRest && partial.size > 0) await onDisk(target, () => partial.empty());
    if (!response.ok || response.body === null || (response.status === 206 && !isRest)) {
      throw new MirrorFailure(refusal);
    }
    if (!isRest) await onDisk(target, () => partial.begin(originOf(url, response)));
    const announced = response.headers.get('content-length');
    const encoded = (response.headers.get('content-encoding') ?? 'identity') !== 'identity';
    const totalBytes = announced === null || encoded ? undefined : partial.size + Number(announced);
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw explain(error);
      });
      if (done) break;
      timer.refresh();
      if (partial.size + value.length > largest) {
        await onDisk(target, () => partial.empty());
        throw new MirrorFailure(`more than ${largest} bytes`);
      }
      await onDisk(target, () => partial.append(value));
      onProgress?.({ file: basename(target), url, receivedBytes: partial.size, totalBytes });
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    control.abort(); // lets go of the connection where the body was not read to its end
  }
}

/** Where a part of the file begins: `Content-Range: bytes 100-199/200`. */
function startOf(response: Response): number | undefined {
  const match = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
  return match === null ? undefined : Number(match[1]);
}

/** A mirror that takes ranges, and names the version of its file, can be asked for the rest. A weak ETag names none. */
function originOf(url: string, response: Response): Origin | undefined {
  if (response.headers.get('accept-ranges') !== 'bytes') return undefined;
  const etag = response.headers.get('etag');
  const validator = etag !== null && !etag.startsWith('W/') ? etag : response.headers.get('last-modified');
  return validator === null ? undefined : { url, validator };
}

/** Runs a step that touches the disk; its failure is no mirror's fault, and trying another would not help. */
async function onDisk<T>(target: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw fail('ERR_FILE', {
      op: `downloading ${basename(target)}`,
      expected: `to be able to write ${target}`,
      received: reasonOf(cause),
      hint: 'make room, or set RECEPTIVE_CACHE to a folder that can be written',
      cause,
    });
  }
}

function throwIfAborted(target: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(target);
}

function aborted(target: string): ReceptiveError {
  return fail('ERR_ABORTED', {
    op: `downloading ${basename(target)}`,
    expected: 'to run to the end',
    received: 'an abort signal',
  });
}

/** The innermost message: fetch says "fetch failed" and keeps the reason as the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  const code = 'code' in error ? String(error.code) : '';
  return error.message || code || error.name;
}
