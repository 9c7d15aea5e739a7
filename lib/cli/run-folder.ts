// SPDX-License-Identifier: Apache-2.0
// The folder that a training leaves behind. It is proved writable before the training starts, and each file appears in
// it whole or not at all.
import { rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fail } from '../errors.js';
import { makeFolder, removeFolders, removeTemporary, writeAtomically } from '../io/atomic-file.js';
import { temporaryName } from '../io/temporary-name.js';

/** What nobody else writes to such a folder. */
const RESULTS = ['model.safetensors', 'report.html', 'curves.svg', 'confusion.svg'];

/** A folder to write results to. */
export class RunFolder {
  readonly path: string;
  /** Folders that were made for it, the innermost first. */
  readonly #made: readonly string[];

  private constructor(path: string, made: readonly string[]) {
    this.path = path;
    this.#made = made;
  }

  /**
   * Makes the folder if it is not there, takes away what a killed process has left unfinished in it, and writes a file of no
   * consequence.
   *
   * Throws ERR_FILE where that does not work.
   */
  static async open(path: string): Promise<RunFolder> {
    const made: string[] = [];
    const folder = new RunFolder(path, made);
    try {
      await makeFolder(resolve(path), made);
      await removeTemporary('--out', path, RESULTS);
      const probe = temporaryName(join(path, 'probe'));
      await writeFile(probe, '', { flag: 'wx' });
      await rm(probe);
      return folder;
    } catch (cause) {
      await folder.abandon();
      throw unwritable(path, cause);
    }
  }

  /** The path of a file in the folder. */
  file(name: string): string {
    return join(this.path, name);
  }

  /** Writes a whole file. Throws ERR_FILE and leaves what was there. */
  async write(name: string, contents: string): Promise<void> {
    await writeAtomically('train', this.file(name), new TextEncoder().encode(contents));
  }

  /** Takes a file away, if it is there. Throws ERR_FILE. */
  async remove(name: string): Promise<void> {
    await rm(this.file(name), { force: true }).catch((cause) => {
      throw unwritable(this.file(name), cause);
    });
  }

  /** Takes away the folders that were made for this one, as far as they are empty. */
  async abandon(): Promise<void> {
    await removeFolders(this.#made);
  }
}

function unwritable(path: string, cause: unknown) {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return fail('ERR_FILE', {
    op: '--out',
    expected: `to be able to write ${path}`,
    received: reason,
    hint: 'name another folder with --out',
    cause,
  });
}
