// SPDX-License-Identifier: Apache-2.0
// The memory of a search: a file of JSON lines that only grows. Its first line says which search it is, each other one is a
// finished training. What a kill cut off at its end is cut away when the search goes on.
import { type FileHandle, open, readFile, stat, truncate } from 'node:fs/promises';
import { fail, ReceptiveError } from '../errors.js';
import { fileError } from '../io/atomic-file.js';
import type { Value } from './choice.js';

/** A finished training. */
export interface TrialRecord {
  readonly trial: number;
  readonly epochs: number;
  readonly values: Readonly<Record<string, Value>>;
  /** Accuracy on the validation set after the last epoch, 0 to 1; nothing where the training failed. */
  readonly score?: number;
  /** On the validation set, too. */
  readonly loss?: number;
  readonly weightsSha256?: string;
  /** Why there is no score. */
  readonly failure?: string;
  readonly seconds: number;
}

/** What a log says of its search; another search does not go on with it. */
export type SearchIdentity = Readonly<Record<string, Value>>;

/** How the first line begins. */
const BEGINNING = '{"search":1';

/** An open log. */
export class TrialLog {
  readonly #op: string;
  readonly #path: string;
  readonly #file: FileHandle;
  #written: Promise<void> = Promise.resolve();

  private constructor(op: string, path: string, file: FileHandle) {
    this.#op = op;
    this.#path = path;
    this.#file = file;
  }

  /**
   * Begins a log, or goes on with the one that is there.
   *
   * Throws ERR_FILE where the file cannot be read or written, and for one that is there unless `resume` is true; ERR_DATA for one
   * that is damaged, with the line; ERR_ARGUMENT for that of another search.
   */
  static async open(
    op: string,
    path: string,
    identity: SearchIdentity,
    resume: boolean,
  ): Promise<{ log: TrialLog; records: TrialRecord[] }> {
    const text = await read(op, path);
    const end = text.lastIndexOf('\n') + 1;
    if (text.length > 0 && !resume) {
      throw fail('ERR_FILE', {
        op,
        expected: 'a place where no search has begun',
        received: `${path}, which is there`,
        hint: 'resume it, or name another place',
      });
    }
    // A line that was cut is the search's own: nothing else is ever shortened
    if (end === 0 && !BEGINNING.startsWith(text.slice(0, BEGINNING.length))) {
      throw fail('ERR_DATA', {
        op,
        expected: 'the log of a search',
        received: `${path}, which is something else`,
      });
    }
    const lines = text.slice(0, end).split('\n').slice(0, -1);
    const records = lines.map((line, i) => parse(op, path, line, i + 1));
    if (records.length > 0) checkIdentity(op, path, records[0], identity);
    try {
      if (end < text.length) await truncate(path, Buffer.byteLength(text.slice(0, end)));
      const file = await open(path, 'a');
      const log = new TrialLog(op, path, file);
      if (records.length === 0)
        await log.append({ search: 1, ...identity }).catch((error) => log.#abandon(error));
      return { log, records: records.slice(1) as unknown as TrialRecord[] };
    } catch (error) {
      if (error instanceof ReceptiveError) throw error;
      throw fileError(op, 'a place for the log of the search', path, error);
    }
  }

  /** Adds a line, in the order of the calls, and has it on the disk when the promise resolves. Rejects with ERR_FILE. */
  append(record: TrialRecord | SearchIdentity): Promise<void> {
    const line = new TextEncoder().encode(`${JSON.stringify(record)}\n`);
    const write = this.#written.then(() => this.#write(line));
    this.#written = write.catch(() => undefined);
    return write;
  }

  async #write(line: Uint8Array): Promise<void> {
    const { size } = await this.#file.stat().catch(() => ({ size: undefined }));
    try {
      await this.#file.appendFile(line);
      await this.#file.sync();
    } catch (error) {
      // A full disk may have taken a part of the line: what comes after it would be lost with it
      if (size !== undefined) await this.#file.truncate(size).catch(() => undefined);
      throw fileError(this.#op, 'to add a line to the log of the search', this.#path, error);
    }
  }

  async #abandon(error: unknown): Promise<never> {
    await this.#file.close();
    throw error;
  }

  async close(): Promise<void> {
    await this.#written;
    await this.#file.close();
  }
}

async function read(op: string, path: string): Promise<string> {
  try {
    if (!(await stat(path)).isFile()) throw new Error('it is no file');
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw fileError(op, 'the log of a search', path, error);
  }
}

function parse(op: string, path: string, line: string, number: number): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    parsed = undefined;
  }
  if (number === 1 ? isObject(parsed) && parsed.search === 1 : isRecord(parsed)) {
    return parsed as Record<string, unknown>;
  }
  throw fail('ERR_DATA', {
    op,
    expected: number === 1 ? `${path} to begin with what it is the log of` : 'a finished trial',
    received: `line ${number} of ${path}: ${line.slice(0, 60)}`,
    hint: 'the file is damaged, or no log of a search',
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isRecord(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { trial, epochs, values, score, loss, failure, seconds } = value;
  const isScored = Number.isFinite(score) && Number.isFinite(loss);
  return (
    Number.isSafeInteger(trial) &&
    Number.isSafeInteger(epochs) &&
    isObject(values) &&
    Number.isFinite(seconds) &&
    (typeof failure === 'string' || isScored)
  );
}

function checkIdentity(
  op: string,
  path: string,
  found: Record<string, unknown>,
  wanted: SearchIdentity,
): void {
  const differs = Object.keys(wanted).find((key) => found[key] !== wanted[key]);
  if (differs === undefined) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `the search of ${path}, with ${differs} ${String(found[differs]).slice(0, 64)}`,
    received: String(wanted[differs]),
    hint: 'resume with the same space, data and options, or name another place',
  });
}
