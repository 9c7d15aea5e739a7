// SPDX-License-Identifier: Apache-2.0
// The picture files of a folder or an archive, one by one, each with its class and its part (to train with, to test with).
// Nothing outside the folder is read, and nothing of an archive is written to disk.
import { open, readdir, realpath, stat } from 'node:fs/promises';
import { basename, join, relative, resolve, sep } from 'node:path';
import { fail, ReceptiveError } from '../errors.js';
import { isSameStamp, stampOf } from '../io/file-stamp.js';
import { promisedFormat } from './decode.js';
import { ArchiveLayout, classOf, type PartName, type Place, partOf } from './layout.js';
import type { Problems } from './problems.js';
import { readTar } from './tar.js';

/** One picture file. */
export interface ImageFile extends Place {
  /** Its path, for errors. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A class's folder, told also where it has no pictures. */
export interface ClassFolder extends Place {
  readonly name: string;
  readonly bytes: undefined;
}

/** The largest file that is taken for a picture. */
const LARGEST_FILE = 2 ** 28;

/**
 * The pictures of `path`, a folder or a `.tar` or `.tar.gz`: `<class>/<picture>`, or `<part>/<class>/<picture>` where
 * folders are called train, test or validation. Folders in a fixed order; archives in theirs.
 *
 * @throws ERR_FILE for a path that cannot be read; ERR_DATA for a damaged archive; what `problems` makes of the rest
 */
export async function* imageFiles(
  path: string,
  problems: Problems,
  signal: AbortSignal | undefined,
): AsyncGenerator<ImageFile | ClassFolder> {
  const entry = await orFileError(path, stat(path));
  if (entry.isDirectory()) yield* filesOfFolder(path, problems);
  else yield* filesOfArchive(path, problems, signal);
}

/** Without the root there is nothing to go on with, whatever is done about bad files. */
async function orFileError<T>(root: string, step: Promise<T>): Promise<T> {
  return step.catch((cause: unknown) => {
    if (cause instanceof ReceptiveError) throw cause;
    const expected = `a folder or archive at ${root}`;
    throw fail('ERR_FILE', { op: 'folder', expected, received: messageOf(cause), cause });
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

async function* filesOfFolder(root: string, problems: Problems): AsyncGenerator<ImageFile | ClassFolder> {
  const walker = new Walker(await orFileError(root, realpath(root)), problems);
  const top = await orFileError(root, walker.list(root));
  const hasParts = top.folders.some((name) => partOf(name) !== undefined);
  if (!hasParts) yield* filesOfPart(walker, root, 'all', top);
  else {
    for (const name of top.files) problems.misplaced(join(root, name));
    for (const name of top.folders) {
      const part = partOf(name);
      const folder = join(root, name);
      if (part === undefined) problems.misplaced(folder);
      else yield* filesOfPart(walker, folder, part, await walker.listBelow(folder));
    }
  }
}

async function* filesOfPart(
  walker: Walker,
  root: string,
  part: PartName,
  { folders, files }: Listing,
): AsyncGenerator<ImageFile | ClassFolder> {
  for (const name of files) walker.problems.misplaced(join(root, name));
  for (const name of folders) {
    const className = classOf(name);
    yield { name: join(root, name), part, className, bytes: undefined };
    for await (const path of walker.filesUnder(join(root, name), await walker.above(root))) {
      if (promisedFormat(path) === undefined) {
        walker.problems.ignored(path);
        continue;
      }
      const bytes = await readWhole(path, walker.problems);
      if (bytes !== undefined) yield { name: path, part, className, bytes };
    }
  }
}

interface Listing {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

/** Lists folders, and follows links that stay inside the root. */
class Walker {
  readonly problems: Problems;
  readonly #root: string;

  constructor(root: string, problems: Problems) {
    this.#root = root;
    this.problems = problems;
  }

  /** Names in a fixed order, whatever the file system's. Hidden files are those of systems. */
  async list(folder: string): Promise<Listing> {
    const entries = (await readdir(folder, { withFileTypes: true }))
      .filter(({ name }) => !name.startsWith('.'))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const folders: string[] = [];
    const files: string[] = [];
    for (const entry of entries) {
      const kind = entry.isSymbolicLink() ? await this.#followed(join(folder, entry.name)) : entry;
      if (kind?.isDirectory()) folders.push(entry.name);
      else if (kind?.isFile()) files.push(entry.name);
      else if (kind !== undefined) this.problems.report('device', join(folder, entry.name));
    }
    return { folders, files };
  }

  /** The same for a folder below the root: one that cannot be read is a problem like a bad file, and counts as empty. */
  async listBelow(folder: string): Promise<Listing> {
    try {
      return await this.list(folder);
    } catch (cause) {
      if (cause instanceof ReceptiveError) throw cause;
      this.problems.report('unreadable', folder, messageOf(cause));
      return { folders: [], files: [] };
    }
  }

  /** The folders that a link in a class of a part must not lead to: the part's, and the root. */
  async above(part: string): Promise<Set<string>> {
    return new Set([await identityOf(this.#root), await identityOf(part)]);
  }

  /** All files below a class's folder. Each folder is read once, and those of `seen` are not, wherever links lead. */
  async *filesUnder(folder: string, seen: Set<string>): AsyncGenerator<string> {
    const identity = await identityOf(folder);
    if (seen.has(identity)) {
      this.problems.report('link', folder, 'it leads to a folder that is read already');
      return;
    }
    seen.add(identity);
    const { folders, files } = await this.listBelow(folder);
    for (const name of files) yield join(folder, name);
    for (const name of folders) yield* this.filesUnder(join(folder, name), seen);
  }

  async #followed(path: string) {
    try {
      const inside = relative(this.#root, await realpath(path));
      const isOutside = inside === '..' || inside.startsWith(`..${sep}`) || inside === path;
      if (!isOutside) return await stat(path);
    } catch {
      // leads nowhere
    }
    this.problems.report('link', path);
    return undefined;
  }
}

/** What tells a folder from all others, on whichever path it is reached. */
async function identityOf(folder: string): Promise<string> {
  const entry = await stat(folder, { bigint: true }).catch(() => undefined);
  return entry === undefined ? folder : `${entry.dev}:${entry.ino}`; // one that is gone cannot be listed either
}

/** The file as it was at one moment: one that is written to while it is read is told, not half read. */
async function readWhole(path: string, problems: Problems): Promise<Uint8Array | undefined> {
  try {
    const file = await open(path);
    try {
      const before = await file.stat({ bigint: true });
      const size = Number(before.size);
      if (size > LARGEST_FILE) {
        problems.report('too large', path, `${size} bytes`);
        return undefined;
      }
      const bytes = new Uint8Array(size);
      const { bytesRead } = size === 0 ? { bytesRead: 0 } : await file.read(bytes, 0, size, 0);
      const after = await file.stat({ bigint: true });
      if (bytesRead === size && isSameStamp(stampOf(before), stampOf(after))) return bytes;
      problems.report('changed while it was read', path);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof ReceptiveError) throw cause;
    problems.report('unreadable', path, messageOf(cause));
  }
  return undefined;
}

async function* filesOfArchive(
  archive: string,
  problems: Problems,
  signal: AbortSignal | undefined,
): AsyncGenerator<ImageFile | ClassFolder> {
  const wants = (path: string) => promisedFormat(path) !== undefined;
  const layout = new ArchiveLayout(archive);
  for await (const { path, kind, size, bytes } of readTar(archive, {
    wants,
    largestFile: LARGEST_FILE,
    signal,
  })) {
    const name = `${archive}:${path}`;
    const steps = path.split('/').filter((step) => step !== '' && step !== '.');
    const isHidden = steps.some((step) => step.startsWith('.') && step !== '..');
    if (isUnsafe(path)) problems.report('unsafe path', name);
    else if (isHidden || steps.length === 0) continue;
    else if (kind === 'link') problems.report('link', name);
    else if (kind === 'other') problems.report('device', name);
    else if (kind === 'folder') layout.addFolder(steps);
    else if (!wants(path)) problems.ignored(name);
    else if (bytes === undefined) problems.report('too large', name, `${size} bytes`);
    else {
      const place = layout.placeOf(steps);
      if (place === undefined) problems.misplaced(name);
      else yield { name, ...place, bytes };
    }
  }
  for (const { path, ...place } of layout.classFolders()) {
    yield { name: `${archive}:${path}`, ...place, bytes: undefined };
  }
}

/** Absolute, or upwards: harmless to a reader that writes nothing, but no archive of pictures has them. */
function isUnsafe(path: string): boolean {
  return /^([/\\]|[a-z]:)/i.test(path) || path.split(/[/\\]/).includes('..') || path.includes('\0');
}

/** A data set's name: that of its folder or archive, without the ending. */
export function nameOf(path: string): string {
  return basename(resolve(path)).replace(/\.(tar(\.gz)?|tgz)$/i, '') || 'folder';
}
