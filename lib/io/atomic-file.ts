// SPDX-License-Identifier: Apache-2.0
// Files that are whole or not there: written under another name, synced, then renamed.
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describe, fail } from '../errors.js';

/** Refuses what is no path. Throws ERR_ARGUMENT. */
export function checkPath(op: string, path: unknown): void {
  if (typeof path === 'string' && path !== '') return;
  throw fail('ERR_ARGUMENT', { op, expected: 'the path of a file', received: describe(path) });
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
  };
  const hint = typeof code === 'string' && Object.hasOwn(hints, code) ? hints[code] : undefined;
  return fail('ERR_FILE', { op, expected, received: `${path}: ${reason}`, hint, cause });
}

/**
 * Replaces the file at `path`, or makes it. Until the last moment the old one stays; whatever goes wrong, neither a part
 * of the new one nor a temporary file is left.
 *
 * Throws ERR_FILE.
 */
export async function writeAtomically(op: string, path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const random = randomBytes(6).toString('hex');
  const temporary = join(folder, `.${basename(path)}.tmp-${process.pid}-${random}`);
  let file: FileHandle | undefined;
  try {
    file = await open(temporary, 'wx');
    await file.writeFile(bytes);
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    if (file !== undefined) {
      await file.close().catch(() => undefined); // it may be closed already
      await rm(temporary, { force: true }).catch(() => undefined); // the first error says more
    }
    throw fileError(op, 'a place to write a file', path, error);
  }
  await syncFolder(folder);
}

/** Makes the rename outlive a power cut, where the system lets folders be synced. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows and some network file systems refuse; the file itself is synced
  }
}
