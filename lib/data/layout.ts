// SPDX-License-Identifier: Apache-2.0
// How pictures are laid out in folders: `<class>/<picture>`, or `<part>/<class>/<picture>` where folders are called train, test or
// validation.
import { fail } from '../errors.js';

/** Which part of a data set a folder's name stands for; 'all' where there are no such folders. */
export type PartName = 'train' | 'test' | 'validation' | 'all';

/** A map, for it is asked with names from disk, and an object knows `constructor`. */
const PARTS: ReadonlyMap<string, PartName> = new Map(
  Object.entries({
    ...{ train: 'train', training: 'train', test: 'test', testing: 'test' },
    ...{ val: 'validation', valid: 'validation', validation: 'validation' },
  } as const),
);

/** The part that a folder of this name stands for, if it is one. */
export function partOf(folder: string): PartName | undefined {
  return PARTS.get(folder.toLowerCase());
}

/** A class's name as all systems write it: macOS writes é as two letters. */
export function classOf(folder: string): string {
  return folder.normalize('NFC');
}

/** What a path stands for. */
export interface Place {
  readonly part: PartName;
  readonly className: string;
}

/**
 * The layout of an archive, which is read once, from its beginning: its first picture tells whether one folder is around all
 * others, and whether there are parts. A later picture that contradicts it ends the reading, for the classes of those before
 * would be wrong.
 */
export class ArchiveLayout {
  readonly #archive: string;
  /** The folder around all others; '' where there is none, nothing before the first picture. */
  #wrapper: string | undefined;
  #hasParts = false;
  readonly #folders = new Set<string>();

  constructor(archive: string) {
    this.#archive = archive;
  }

  /** Takes note of a folder, which may be that of a class. */
  addFolder(steps: readonly string[]): void {
    if (steps.length <= 3) this.#folders.add(steps.join('/')); // wrapper, part, class
  }

  /** What the path of a picture stands for; nothing where that is no class. Throws ERR_DATA for a contradiction. */
  placeOf(steps: readonly string[]): Place | undefined {
    const folders = steps.slice(0, -1);
    if (folders.length === 0) return undefined;
    if (this.#wrapper === undefined) {
      const isWrapped = folders.length > 1 && partOf(folders[0]) === undefined;
      this.#wrapper = isWrapped ? folders[0] : '';
      this.#hasParts = partOf(folders[isWrapped ? 1 : 0]) !== undefined;
    }
    const place = this.#placeIn(folders);
    if (place !== 'elsewhere') return place;
    const layout = [this.#wrapper, this.#hasParts ? '<part>' : '', '<class>/<picture>'].filter(
      (step) => step !== '',
    );
    throw fail('ERR_DATA', {
      op: `reading ${this.#archive}:${steps.join('/')}`,
      expected: `a picture at ${layout.join('/')}, as the first one of the archive`,
      received: 'one elsewhere',
      hint: 'unpack the archive and read the folder, where classes hold folders of their own',
    });
  }

  /** The classes of the folders that were taken note of. */
  *classFolders(): Generator<Place & { readonly path: string }> {
    if (this.#wrapper === undefined) return;
    for (const path of this.#folders) {
      const place = this.#placeIn(path.split('/'), 1);
      if (place !== undefined && place !== 'elsewhere') yield { path, ...place };
    }
  }

  /** What lies in these folders, at most so many below the wrapper and the part. */
  #placeIn(folders: readonly string[], most = Number.POSITIVE_INFINITY): Place | 'elsewhere' | undefined {
    const isWrapped = this.#wrapper !== '';
    if (isWrapped && folders[0] !== this.#wrapper) return 'elsewhere';
    const below = isWrapped ? folders.slice(1) : folders;
    if (below.length === 0) return undefined;
    const part = partOf(below[0]);
    if (!this.#hasParts && part !== undefined) return 'elsewhere';
    if (this.#hasParts && part === undefined) return undefined;
    const classes = this.#hasParts ? below.slice(1) : below;
    if (classes.length === 0 || classes.length > most) return undefined;
    return { part: part ?? 'all', className: classOf(classes[0]) };
  }
}
