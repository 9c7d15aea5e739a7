// SPDX-License-Identifier: Apache-2.0
// A folder of checkpoints, one file for each. Which is the newest follows from the names, and which is whole from the contents:
// no file points to another, so no moment is wrong for the end of the process.
import { readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fail, ReceptiveError } from '../errors.js';
import { fileError, makeFolder, removeTemporary, writeAtomically } from '../io/atomic-file.js';
import { withFile } from '../io/safetensors-reader.js';
import { readSealed, type SealedFile } from '../io/sealed-file.js';

const OP = 'checkpoint';
const NAME = /^step-(\d{9,15})\.safetensors$/;

/** A checkpoint by its name alone. */
export interface CheckpointName {
  readonly path: string;
  /** Steps that were done. */
  readonly step: number;
}

/** A checkpoint that is whole. */
export interface FoundCheckpoint extends CheckpointName {
  readonly file: SealedFile;
}

/** The checkpoints of one training. */
export class CheckpointFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Makes the folder, and takes away what a killed process has left unfinished in it. Throws ERR_FILE. */
  async prepare(): Promise<void> {
    try {
      await makeFolder(resolve(this.path));
    } catch (error) {
      throw fileError(OP, 'a folder for checkpoints', this.path, error);
    }
    await removeTemporary(OP, this.path);
  }

  /** Those that are there by their names, the newest first. Throws ERR_FILE. */
  async list(): Promise<CheckpointName[]> {
    let names: string[];
    try {
      names = await readdir(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw fileError(OP, 'a folder of checkpoints', this.path, error);
    }
    return names
      .flatMap((name) => {
        const step = NAME.exec(name)?.[1];
        return step === undefined ? [] : [{ path: join(this.path, name), step: Number(step) }];
      })
      .sort((a, b) => b.step - a.step);
  }

  /**
   * The newest one that is whole. Those that are not are set aside under another name, so that they neither count among those
   * that are kept nor are lost.
   *
   * @param onDamaged is told of them
   *
   * Throws ERR_DATA where there are some and none is whole, ERR_FILE.
   */
  async newest(onDamaged: (name: CheckpointName, error: ReceptiveError) => void) {
    const names = await this.list();
    for (const name of names) {
      try {
        const { path } = name;
        const file = await withFile(OP, 'a checkpoint', path, (source) => readSealed(source, path));
        const found: FoundCheckpoint = { ...name, file };
        return found;
      } catch (error) {
        if (!(error instanceof ReceptiveError) || error.code !== 'ERR_DATA') throw error;
        if (name === names.at(-1)) throw error;
        onDamaged(name, error);
        await rename(name.path, `${name.path}.damaged`).catch(() => undefined); // it is passed over again then
      }
    }
    return undefined;
  }

  /** The path of the checkpoint after so many steps. */
  fileOf(step: number): string {
    return join(this.path, `step-${String(step).padStart(9, '0')}.safetensors`);
  }

  /** Writes one whole or not at all. Throws ERR_FILE. */
  async write(step: number, parts: readonly ArrayBufferView[]): Promise<void> {
    await writeAtomically(OP, this.fileOf(step), parts);
  }

  /** Takes away all but the newest `keep`, and that of step `best`. Throws ERR_FILE. */
  async prune(keep: number, best: number | undefined): Promise<void> {
    for (const { path, step } of (await this.list()).slice(keep)) {
      if (step !== best) await this.#remove(path);
    }
  }

  /** Takes all of them away, the oldest first. Throws ERR_FILE. */
  async clear(): Promise<void> {
    for (const { path } of (await this.list()).reverse()) await this.#remove(path);
  }

  async #remove(path: string): Promise<void> {
    await rm(path, { force: true }).catch((error) => {
      throw fileError(OP, 'to take away an old checkpoint', path, error);
    });
  }

  /** The refusal to write over a training that was not finished. */
  refuseUnfinished({ path, step }: CheckpointName) {
    return fail('ERR_FILE', {
      op: OP,
      expected: 'a folder without checkpoints of an unfinished training',
      received: `${path}, after ${step} steps`,
      hint: 'resume goes on with it; else name another folder, or take it away',
    });
  }
}
