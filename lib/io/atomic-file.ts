// SPDX-License-Identifier: Apache-2.0
// Files that are whole or not there: written under another name, synced, then renamed.
import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, fail } from '../errors.js';
import { piecesOf } from './pieces.js';
import { isStale, isTemporary, temporaryName } from './temporary-name.js';

/** Refuses what is no path. Throws ERR_ARGUMENT. */
export function checkPath(op: string, path: unknown, expected = 'the path of a file'): void {
  if (typeof path === 'string' && path !== '') return;
  throw fail('ERR_ARGUMENT', { op, expected, received: describe(path) });
}

/** Gives an error of the file system the library's form. */
export function fileError(op: string, expected: string, path: string, cause: unknown) {
  const message = cause instanceof Error ? cause.message : String(cause);
  // Node goes on with the call and its paths, one of which is the temporary file's
  const reason = cause instanceof Error && 'syscall' in cause ? message.split(', ')[0] : message;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  const hints: Readonly<Record<string, string>> = {
    ENOENT: 'does the folder exist?',
    EACCES: 'may this user write and read there?',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    EISDIR: 'it is a folder',
    EEXIST: 'a file stands where a folder should be',
    ENOTDIR: 'a file stands where a folder should be',
  };
  const hint = typeof code === 'string' && Object.hasOwn(hints, code) ? hints[code] : undefined;
  return fail('ERR_FILE', { op, expected, received: `${path}: ${reason}`, hint, cause });
}

/**
 * Replaces the file at `path`, or makes it, of the bytes of one or more arrays, from where they lie. Until the last moment the
 * old one stays; whatever goes wrong, neither a part of the new one nor a temporary file is left.
 *
 * Throws ERR_FILE.
 */
export async function writeAtomically(
  op: string,
  path: string,
  parts: ArrayBufferView | readonly ArrayBufferView[],
): Promise<void> {
  const temporary = temporaryName(path);
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'wx');
    for (const part of ArrayBuffer.isView(parts) ? [parts] : parts) await writeWhole(file, part);
    await file.sync();
    await file.close();
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (file !== undefined) {
      await file.close().catch(() => undefined); // it may be closed already
      await rm(temporary, { force: true }).catch(() => undefined); // the first error says more
    }
    throw fileError(op, 'a place to write a file', path, error);
  }
}

/**
 * Writes all of the bytes, from `position` on, or where the file stands. The system may take less than it is given, and then goes
 * on where it stopped.
 */
export async function writeWhole(file: FileHandle, bytes: ArrayBufferView, position?: number): Promise<void> {
  let done = 0;
  for (const piece of piecesOf(bytes)) {
    for (let at = 0; at < piece.length; ) {
      const where = position === undefined ? null : position + done;
      const { bytesWritten } = await file.write(piece, at, piece.length - at, where);
      if (bytesWritten === 0) throw new Error('the system wrote nothing');
      at += bytesWritten;
      done += bytesWritten;
    }
  }
}

/** What a folder cannot be synced for without anything being lost: Windows and some network file systems refuse. */
const LOSSES: readonly unknown[] = ['EIO', 'ENOSPC', 'EDQUOT'];

/** Makes the rename outlive a power cut, where the system lets folders be synced. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (LOSSES.includes((error as NodeJS.ErrnoException).code)) throw error;
  }
}

/**
 * Takes away what a process that was killed in the middle of a write has left in a folder. Throws ERR_FILE.
 *
 * @param own the files that nobody else writes to, by default all of the folder; what others are writing there stays
 */
export async function removeTemporary(op: string, folder: string, own?: readonly string[]): Promise<void> {
  try {
    for (const name of await readdir(folder)) {
      const file = join(folder, name);
      const isOwn = own?.some((target) => name.startsWith(`.${target}.tmp-`)) ?? true;
      if ((isOwn && isTemporary(name)) || (await isStale(file))) await rm(file, { force: true });
    }
  } catch (error) {
    throw fileError(op, 'a folder without unfinished files', folder, error);
  }
}

/**
 * Makes a folder and those above it, and puts what it made in front of `made`. Not mkdir's own `recursive`: where the
 * system says ENOENT whatever is tried, as /proc does, that goes on for ever.
 */
export async function makeFolder(path: string, made: string[] = []): Promise<void> {
  const isThere = () =>
    stat(path).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
  if (await isThere()) return;
  if (dirname(path) !== path) await makeFolder(dirname(path), made);
  try {
    await mkdir(path);
  } catch (error) {
    if (await isThere()) return; // another training made it meanwhile
    throw error;
  }
  made.unshift(path);
}

/** Takes away folders that were made, the innermost first, as far as they are empty. */
export async function removeFolders(made: readonly string[]): Promise<void> {
  for (const folder of made) {
    try {
      await rmdir(folder);
    } catch {
      return; // something is in it: it stays
    }
  }
}
