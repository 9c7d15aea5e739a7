// SPDX-License-Identifier: Apache-2.0
// What was wrong with files of a data set: the first one ends the reading, or all are left out, counted and told.
import { fail, type ReceptiveError } from '../errors.js';

/** What to do with a file that cannot be used. */
export const BAD_FILE_NAMES = ['refuse', 'skip'] as const;
export type OnBadFile = (typeof BAD_FILE_NAMES)[number];

/** What became of the files of a data set. */
export interface ImageReport {
  /** Pictures that were taken. */
  readonly images: number;
  /** Files that were left out, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
  /** The first of them, with what was wrong. */
  readonly examples: readonly string[];
  /** Files of other kinds among the pictures, such as lists and notes, which nobody looked at. */
  readonly ignored: number;
  /** Pictures that were converted on the way, by how: from grey, CMYK, 16 bits, another size, or under a wrong ending. */
  readonly converted: Readonly<Record<string, number>>;
}

const MAX_EXAMPLES = 10;

/** How pictures are to be laid out. */
export const LAYOUT = '<class>/<picture>, or train/<class>/<picture> and test/<class>/<picture>';

/** What would have been right, and what to do, where that is not a file's own matter. */
const EXPECTED: ReadonlyMap<string, readonly [expected: string, advice: string]> = new Map([
  ['empty class', ['a class with pictures', 'add pictures, or ']],
  [
    'one-file class',
    [
      'at least two samples of each class, one of them to test with',
      'add a picture, make folders train and test, or ',
    ],
  ],
  ['in no class', ["a picture in its class's folder", `it should look like ${LAYOUT}; or `]],
]);

/** Collects them. */
export class Problems {
  readonly #onBad: OnBadFile;
  readonly #skipped = new Map<string, number>();
  readonly #converted = new Map<string, number>();
  readonly #examples: string[] = [];
  #ignored = 0;

  constructor(onBad: OnBadFile) {
    this.#onBad = onBad;
  }

  /** Takes note of a file that cannot be used, or throws ERR_DATA. */
  report(reason: string, name: string, details = ''): void {
    const received = details === '' ? reason : `${reason}: ${details}`;
    const [expected, advice] = EXPECTED.get(reason) ?? ['a picture file of its own', ''];
    const hint = `${advice}leave such files out with onBad: 'skip' (--skip-bad)`;
    this.bad(reason, fail('ERR_DATA', { op: `reading ${name}`, expected, received, hint }));
  }

  /** Takes note of a picture that cannot be used for this error, or throws it. */
  bad(reason: string, error: ReceptiveError): void {
    if (this.#onBad === 'refuse') throw error;
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
    if (this.#examples.length < MAX_EXAMPLES) {
      this.#examples.push(`${error.op.replace(/^reading /, '')}: ${error.received}`);
    }
  }

  /** A picture that is in no class's folder. */
  misplaced(name: string): void {
    if (/\.(jpe?g|jpe|png|webp)$/i.test(name)) this.report('in no class', name);
    else this.ignored(name);
  }

  ignored(_name: string): void {
    this.#ignored += 1;
  }

  converted(how: readonly string[]): void {
    for (const name of how) this.#converted.set(name, (this.#converted.get(name) ?? 0) + 1);
  }

  reportOf(images: number): ImageReport {
    return {
      images,
      skipped: Object.fromEntries(this.#skipped),
      examples: this.#examples,
      ignored: this.#ignored,
      converted: Object.fromEntries(this.#converted),
    };
  }
}
