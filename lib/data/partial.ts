// SPDX-License-Identifier: Apache-2.0
// Downloads that were cut: what came of them lies beside the target with a note of where it came from, and the next try
// goes on there. Each file being written has a name of its own, so that two processes never write the same one.
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { writeWhole } from '../io/atomic-file.js';

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
  readonly #stem: string;
  readonly #note: string;
  /** Bytes that are there. */
  size: number;
  origin: Origin | undefined;

  private constructor(stem: string, file: FileHandle, size: number, origin: Origin | undefined) {
    this.path = `${stem}.part`;
    this.#stem = stem;
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
    for (const left of await leftBy(target, abandoned)) {
      if (left.origin === undefined) await removeBoth(left.stem); // nobody can go on with it
      if (left.origin?.url !== url) continue;
      // Only one process can rename it; and its note stays behind for nobody.
      const isOurs = await rename(`${left.stem}.part`, `${stem}.part`).then(
        () => true,
        () => false,
      );
      if (!isOurs) continue;
      await rm(`${left.stem}.json`, { force: true });
      const file = await open(`${stem}.part`, 'a');
      const partial = new PartialFile(stem, file, 0, undefined);
      try {
        partial.size = (await file.stat()).size;
        await partial.begin(left.origin);
        return partial;
      } catch (error) {
        await file.close();
        await removeBoth(stem);
        throw error;
      }
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
    await writeWhole(this.file, bytes);
    this.size += bytes.length;
  }

  /** Begins again. */
  async empty(): Promise<void> {
    await this.file.truncate(0);
    this.size = 0;
    await this.begin(undefined);
  }

  /**
   * Leaves the file to the next download where it can go on, and removes it where not, as on a full disk. The handle must be
   * closed. Throws nothing: it is called behind an error that says more.
   */
  async release(): Promise<void> {
    if (this.origin === undefined || this.size === 0) return this.remove();
    const note = JSON.stringify({ ...this.origin, released: true });
    await writeFile(this.#note, note).catch(() => this.remove());
  }

  /** Throws nothing. */
  async remove(): Promise<void> {
    await removeBoth(this.#stem).catch(() => undefined);
  }

  /** Gives the file its name and removes what downloads from other mirrors left; the handle must be closed. */
  async rename(target: string, abandoned: number): Promise<void> {
    await rename(this.path, target);
    await rm(this.#note, { force: true });
    for (const { stem } of await leftBy(target, abandoned)) await removeBoth(stem);
  }
}

async function removeBoth(stem: string): Promise<void> {
  await rm(`${stem}.part`, { force: true });
  await rm(`${stem}.json`, { force: true });
}

interface Left {
  readonly stem: string;
  /** Nothing where there is no note that says so. */
  readonly origin: Origin | undefined;
}

/** `.<id>.part` or `.<id>.json`; without a note, only the form of the id says whose file it is. */
const ENDING = /^\.(.+)\.(part|json)$/;
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What earlier downloads left: all that said so, and all that nobody has written to for `abandoned` milliseconds. */
async function leftBy(target: string, abandoned: number): Promise<Left[]> {
  const folder = dirname(target);
  const ids = new Set<string>();
  for (const name of await readdir(folder)) {
    const id = name.startsWith(`${basename(target)}.`) && ENDING.exec(name.slice(basename(target).length));
    if (id) ids.add(id[1]);
  }
  const left: Left[] = [];
  for (const id of ids) {
    const stem = `${target}.${id}`;
    const note = await noteOf(stem);
    const written = await lastWrite(`${stem}.part`, `${stem}.json`);
    const isLeft = note?.isReleased === true || Date.now() - written > abandoned;
    if (isLeft && (note !== undefined || ID.test(id))) left.push({ stem, origin: note?.origin });
  }
  return left;
}

async function noteOf(stem: string): Promise<{ origin: Origin; isReleased: boolean } | undefined> {
  try {
    const text = await readFile(`${stem}.json`, 'utf8');
    const { url, validator, released } = Object(JSON.parse(text)) as Partial<Origin & { released: boolean }>;
    if (typeof url !== 'string' || typeof validator !== 'string') return undefined;
    return { origin: { url, validator }, isReleased: released === true };
  } catch {
    return undefined; // gone meanwhile, cut off, or no note of ours
  }
}

/** When the first of the files that is there was written to; now, where neither is. */
async function lastWrite(...files: readonly string[]): Promise<number> {
  for (const file of files) {
    const entry = await stat(file).catch(() => undefined);
    if (entry !== undefined) return entry.mtimeMs;
  }
  return Date.now();
}
