// SPDX-License-Identifier: Apache-2.0
// One file from the first mirror that has it whole. It is written beside its target under another name, checked,
// synced and only then renamed, so the target is either absent or right, whatever is cut, wrong or killed.

import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { fail, type ReceptiveError } from '../errors.js';

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

async function downloadFrom(url: string, options: DownloadOptions): Promise<Uint8Array> {
  const { target, verify, signal } = options;
  throwIfAborted(target, signal);
  const temporary = `${target}.${randomUUID()}.part`;
  const file = await onDisk(target, async () => {
    await mkdir(dirname(target), { recursive: true });
    return open(temporary, 'wx');
  });
  try {
    try {
      await receive(url, file, options);
      await onDisk(target, () => file.sync());
    } finally {
      await file.close();
    }
    const contents = await onDisk(target, () => readFile(temporary));
    const wrong = await verify(contents);
    if (wrong !== undefined) throw new MirrorFailure(wrong);
    throwIfAborted(target, signal);
    await onDisk(target, () => rename(temporary, target));
    return contents;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Streams the body of `url` into `file`. */
async function receive(url: string, file: FileHandle, options: DownloadOptions): Promise<void> {
  const { target, signal, onProgress, timeout = 30_000, largest = 2 ** 30 } = options;
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
    const headers = { 'accept-encoding': 'identity' };
    const response = await fetch(url, { headers, signal: control.signal }).catch((error: unknown) => {
      throw explain(error);
    });
    if (!response.ok || response.body === null) {
      throw new MirrorFailure(`status ${response.status} ${response.statusText}`.trim());
    }
    const announced = response.headers.get('content-length');
    const encoded = (response.headers.get('content-encoding') ?? 'identity') !== 'identity';
    const totalBytes = announced === null || encoded ? undefined : Number(announced);
    const reader = response.body.getReader();
    let receivedBytes = 0;
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw explain(error);
      });
      if (done) break;
      timer.refresh();
      receivedBytes += value.length;
      if (receivedBytes > largest) throw new MirrorFailure(`more than ${largest} bytes`);
      await onDisk(target, () => file.writeFile(value)); // writes at the handle's position, all of it
      onProgress?.({ file: basename(target), url, receivedBytes, totalBytes });
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    control.abort(); // lets go of the connection where the body was not read to its end
  }
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
      hint: 'set RECEPTIVE_CACHE to a folder that can be written',
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
