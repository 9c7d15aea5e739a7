// SPDX-License-Identifier: Apache-2.0
// Downloads that were cut: what came of them lies beside the target with a note of where it came from, and the next try
// goes on there. Each file being written has a name of its own, so that two processes never write the same one.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Where the first bytes of a file came from, and what says that the mirror still has the same file. */
export interface Origin {
  readonly url: string;
  /** The mirror's ETag, or else its Last-Modified: goes into If-Range. */
  readonly validator: string;
}

/** A file that is being received: `target.<id>.part`, with its origin in `target.<id>.json` where it can be resumed. */
export class PartialFile {
  readonly path: string;
  readonly file: FileHandle;
  readonly #note: string;
  /** Bytes that are there. */
  size: number;
  origin: Origin | undefined;

  private constructor(stem: string, file: FileHandle, size: number, origin: Origin | undefined) {
    this.path = `${stem}.part`;
    this.#note = `${stem}.json`;
    this.file = file;
    this.size = size;
    this.origin = origin;
  }

  /**
   * What an earlier download of `url` left, or an empty file. A file is left when its download said so, or when nobody has
   * written to it for `abandoned` milliseconds: a live download would have given up by then.
   */
  static async open(target: string, url: string, abandoned: number): Promise<PartialFile> {
    const stem = `${target}.${randomUUID()}`;
    for (const left of await leftBy(target, url, abandoned)) {
      // Only one process can rename it; and its note stays behind for nobody.
      const isOurs = await rename(`${left.stem}.part`, `${stem}.part`).then(
        () => true,
        () => false,
      );
      if (!isOurs) continue;
      await rm(`${left.stem}.json`, { force: true });
      const file = await open(`${stem}.part`, 'a');
      const partial = new PartialFile(stem, file, (await file.stat()).size, undefined);
      await partial.begin(left.origin);
      return partial;
    }
    return new PartialFile(stem, await open(`${stem}.part`, 'ax'), 0, undefined);
  }

  /** Notes where the bytes come from; nothing where they could not be asked for again. */
  async begin(origin: Origin | undefined): Promise<void> {
    this.origin = origin;
    if (origin === undefined) await rm(this.#note, { force: true });
    else await writeFile(this.#note, JSON.stringify({ ...origin, released: false }));
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.file.appendFile(bytes);
    this.size += bytes.length;
  }

  /** Begins again. */
  async empty(): Promise<void> {
    await this.file.truncate(0);
    this.size = 0;
    await this.begin(undefined);
  }

  /** Leaves the file to the next download where it can go on, and removes it where not. The handle must be closed. */
  async release(): Promise<void> {
    if (this.origin === undefined || this.size === 0) return this.remove();
    await writeFile(this.#note, JSON.stringify({ ...this.origin, released: true }));
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
    await rm(this.#note, { force: true });
  }

  /** Gives the file its name and removes what downloads from other mirrors left; the handle must be closed. */
  async rename(target: string, abandoned: number): Promise<void> {
    await rename(this.path, target);
    await rm(this.#note, { force: true });
    for (const { stem } of await leftBy(target, undefined, abandoned)) {
      await rm(`${stem}.part`, { force: true });
      await rm(`${stem}.json`, { force: true });
    }
  }
}

interface Left {
  readonly stem: string;
  readonly origin: Origin;
}

/** What earlier downloads of `url`, or of any mirror, left. */
async function leftBy(target: string, url: string | undefined, abandoned: number): Promise<Left[]> {
  const folder = dirname(target);
  const prefix = `${basename(target)}.`;
  const left: Left[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith('.json')) continue;
    const stem = join(folder, name.slice(0, -'.json'.length));
    try {
      const { mtimeMs } = await stat(`${stem}.part`);
      const note = JSON.parse(await readFile(`${stem}.json`, 'utf8')) as Origin & { released: boolean };
      const isLeft = note.released === true || Date.now() - mtimeMs > abandoned;
      if (!isLeft || (url !== undefined && note.url !== url) || typeof note.validator !== 'string') continue;
      left.push({ stem, origin: { url: note.url, validator: note.validator } });
    } catch {
      // gone meanwhile, or no note of ours
    }
  }
  return left;
}
