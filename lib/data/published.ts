// SPDX-License-Identifier: Apache-2.0
// Files of published data sets: in a folder of the caller's, else in the cache, else from a mirror. What came over a network
// is checked by a checksum; what the caller points at is only parsed strictly by whoever asked for it.
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ReceptiveError } from '../errors.js';
import { cacheFolder } from './cache.js';
import { type DownloadProgress, download } from './download.js';
import { LARGEST_CONTENTS, unpack } from './idx.js';

/** Where published files may come from. */
export interface PublishedOptions {
  /** A folder with the files; nothing is downloaded then. */
  readonly dataDir?: string | undefined;
  /** Folders on the web that hold the files, best first. */
  readonly mirrors?: readonly string[] | undefined;
  /** Default: a folder of the data set's name in the cache folder (`RECEPTIVE_CACHE`, else `~/.cache/receptive`). */
  readonly cacheDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Milliseconds without a byte after which a mirror is given up; default 30,000. */
  readonly timeout?: number | undefined;
}

/** One file as its mirrors have it. */
export interface PublishedFile {
  /** The data set, which names the folder in the cache. */
  readonly dataset: string;
  /** As mirrors have it: `train-images-idx3-ubyte.gz`. */
  readonly name: string;
  /** Names it may have in a folder, best first; compressed or not is told by the contents. */
  readonly localNames: readonly string[];
  /** Of the file as it is published, or of what is inside where mirrors compress it differently. */
  readonly sha256: string;
  readonly of: 'file' | 'contents';
  readonly mirrors: readonly string[];
  /** The most bytes that a mirror may send: far above the file's own. */
  readonly largest: number;
}

/** A file and what is inside: gzip is taken off. */
export interface FoundFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

/**
 * The file from the folder, the cache or a mirror.
 *
 * @throws ERR_FILE for a folder or file that is missing or cannot be read, or a cache that cannot be written; ERR_DATA for a
 *   file that is damaged, or when no mirror had it; ERR_ABORTED
 */
export async function contentsOf(file: PublishedFile, options: PublishedOptions): Promise<FoundFile> {
  if (options.dataDir === undefined) return findInCacheOrDownload(file, options);
  const found = await findInFolder(options.dataDir, file.localNames, file.dataset);
  if (found !== undefined) return found;
  throw await notInFolder(file.dataset, options.dataDir, file.localNames);
}

/** The first of these files that is in a folder of the caller's, or nothing. */
export async function findInFolder(
  folder: string,
  names: readonly string[],
  op: string,
): Promise<FoundFile | undefined> {
  for (const name of names) {
    const path = join(folder, name);
    const packed = await readIfThere(path, op);
    if (packed !== undefined) return { path, contents: await unpack(packed, path) };
  }
  return undefined;
}

/** The error of a folder that has none of these files, or is none. */
export async function notInFolder(
  op: string,
  folder: string,
  names: readonly string[],
): Promise<ReceptiveError> {
  const isFolder = await stat(folder).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
  return fail('ERR_FILE', {
    op,
    expected: isFolder ? `one of ${names.join(', ')} in ${folder}` : `a folder at ${folder}`,
    received: isFolder ? 'none of them' : 'no folder there',
    hint: 'without dataDir (--data-dir) the files are downloaded',
  });
}

/**
 * The file from the cache, if it is there and right; else from a mirror, into the cache.
 *
 * @throws ERR_DATA when no mirror had it, ERR_FILE when the cache cannot be written, ERR_ABORTED
 */
export async function findInCacheOrDownload(
  file: PublishedFile,
  options: PublishedOptions,
): Promise<FoundFile> {
  const folder = options.cacheDir ?? join(cacheFolder(), file.dataset);
  const path = join(folder, file.name);
  const cached = await readIfThere(path, file.dataset);
  if (cached !== undefined) {
    const contents = await verifiedContents(cached, file);
    if (typeof contents !== 'string') return { path, contents };
  }
  let verified: Uint8Array | undefined;
  await download({
    urls: (options.mirrors ?? file.mirrors).map((mirror) => `${mirror.replace(/\/$/, '')}/${file.name}`),
    target: path,
    verify: async (bytes) => {
      const contents = await verifiedContents(bytes, file);
      if (typeof contents === 'string') return contents;
      verified = contents;
      return undefined;
    },
    signal: options.signal,
    onProgress: options.onProgress,
    timeout: options.timeout,
    largest: file.largest,
  });
  return { path, contents: verified as Uint8Array };
}

/** The contents, if they are the published ones, or what is wrong with them. */
async function verifiedContents(packed: Uint8Array, file: PublishedFile): Promise<Uint8Array | string> {
  if (file.of === 'file') {
    const wrong = wrongChecksum(packed, file);
    if (wrong !== undefined) return wrong;
  }
  const contents = await unpack(packed, file.name).catch((error: Error) => error.message);
  if (typeof contents === 'string' || file.of === 'file') return contents;
  return wrongChecksum(contents, file) ?? contents;
}

function wrongChecksum(bytes: Uint8Array, { of, sha256 }: PublishedFile): string | undefined {
  const found = createHash('sha256').update(bytes).digest('hex');
  return found === sha256 ? undefined : `wrong checksum: ${of} with SHA-256 ${found}, not ${sha256}`;
}

/** The bytes of a file, or nothing where there is none. */
async function readIfThere(path: string, op: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(path);
    if (size > LARGEST_CONTENTS) {
      throw fail('ERR_DATA', {
        op: `reading ${path}`,
        expected: `a file of at most ${LARGEST_CONTENTS} bytes`,
        received: `${size} bytes`,
      });
    }
    return await readFile(path);
  } catch (cause) {
    if (cause instanceof ReceptiveError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw fail('ERR_FILE', { op, expected: `to be able to read ${path}`, received: code, cause });
  }
}
