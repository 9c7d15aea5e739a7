// SPDX-License-Identifier: Apache-2.0
// What a training writes down while it goes on: how it was configured, and lines of JSON that can be followed. What is in the
// files follows from the training alone, so that one that was killed leaves no line twice and none out when it is gone on with.
import { appendFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { checkOptions, describe, fail } from '../errors.js';
import { checkPath, fileError, makeFolder, removeTemporary, writeAtomically } from '../io/atomic-file.js';
import { nativeInfo } from '../native/bindings.js';
import { version } from '../native/version.js';
import type { CurvePoint, HistoryRow } from './progress.js';

const OP = 'log';
/** The files of a log. */
export const LOG_FILES = { config: 'config.json', history: 'history.jsonl', curve: 'curve.jsonl' } as const;

/** Where a training is written down. */
export interface LogOptions {
  /** The folder; it is made where it is missing. */
  readonly dir: string;
  /** What else is to stand in config.json, in place of what `fit` knows by the same name. */
  readonly config?: Readonly<Record<string, unknown>> | undefined;
}

/** The option, checked. Throws ERR_ARGUMENT. */
export function checkLog(log: LogOptions | undefined): LogOptions | undefined {
  if (log === undefined) return undefined;
  checkOptions('fit', log, ['dir', 'config']);
  checkPath('fit', log.dir);
  const { config = {} } = log;
  const refuse = (received: string, cause?: unknown) =>
    fail('ERR_ARGUMENT', {
      op: 'fit',
      expected: 'config of the log as an object that can be written as JSON',
      received,
      cause,
    });
  if (typeof config !== 'object' || config === null || Array.isArray(config)) throw refuse(describe(config));
  try {
    JSON.stringify(config);
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message.split('\n')[0] : String(cause), cause);
  }
  return { dir: log.dir, config };
}

/** How a training ended, for its configuration. */
export interface LoggedEnd {
  readonly steps: number;
  readonly seconds: number;
  readonly stopped: boolean;
}

/** The files of one training. */
export class RunLog {
  readonly #dir: string;
  readonly #config: object;
  readonly #files: readonly LineFile[];
  #hasWarned = false;

  private constructor(dir: string, config: object, files: readonly LineFile[]) {
    this.#dir = dir;
    this.#config = config;
    this.#files = files;
  }

  /**
   * Writes the configuration, and the lines of a training that is gone on with in place of those that are there.
   *
   * @param settings what `fit` was told
   * @param history to which the training adds rows
   * @param curve to which it adds points
   *
   * Throws ERR_FILE.
   */
  static async open(
    { dir, config }: LogOptions,
    settings: object,
    history: readonly HistoryRow[],
    curve: readonly CurvePoint[],
  ): Promise<RunLog> {
    try {
      await makeFolder(resolve(dir));
    } catch (error) {
      throw fileError(OP, 'a folder for the log of a training', dir, error);
    }
    await removeTemporary(OP, dir, Object.values(LOG_FILES));
    const { isa, threads } = nativeInfo();
    const versions = { version, node: process.versions.node, isa, threads };
    const all = { ...versions, started: new Date().toISOString(), ...settings, ...config };
    const files = [
      new LineFile(join(dir, LOG_FILES.history), history),
      new LineFile(join(dir, LOG_FILES.curve), curve),
    ];
    const log = new RunLog(dir, all, files);
    await log.#writeConfig({});
    for (const file of files) await file.write();
    return log;
  }

  /** Appends what the training has added, behind the steps that follow. */
  note(): void {
    for (const file of this.#files) file.write().catch((error: unknown) => this.#warn(error));
  }

  /** Waits until all is written. */
  async close(end?: LoggedEnd): Promise<void> {
    try {
      for (const file of this.#files) await file.write();
      if (end !== undefined) await this.#writeConfig(end);
    } catch (error) {
      this.#warn(error);
    }
  }

  async #writeConfig(end: object): Promise<void> {
    await writeText(
      join(this.#dir, LOG_FILES.config),
      `${JSON.stringify({ ...this.#config, ...end }, null, 2)}\n`,
    );
  }

  /** A log that cannot be written is no reason to lose a training; what is missing is tried again with the next lines. */
  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(error instanceof Error ? error.message : String(error), 'LogWarning');
  }
}

/** A file with a line for each row. */
class LineFile {
  readonly #path: string;
  readonly #rows: readonly object[];
  /** Rows that are in the file; none where it is not known what is in it, and it is written anew. */
  #written: number | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(path: string, rows: readonly object[]) {
    this.#path = path;
    this.#rows = rows;
  }

  /** Writes all rows that are not there yet, when the writing before is done. Throws ERR_FILE. */
  write(): Promise<void> {
    const next = this.#last.catch(() => undefined).then(() => this.#writeRest());
    this.#last = next;
    return next;
  }

  async #writeRest(): Promise<void> {
    const before = this.#written;
    const { length } = this.#rows;
    if (before === length) return;
    const text = this.#rows
      .slice(before, length)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join('');
    this.#written = undefined; // a part of it may be written when it fails
    if (before === undefined) await writeText(this.#path, text);
    else await this.#append(text);
    this.#written = length;
  }

  async #append(text: string): Promise<void> {
    try {
      await appendFile(this.#path, text);
    } catch (error) {
      throw fileError(OP, 'to add to the log of a training', this.#path, error);
    }
  }
}

const writeText = (path: string, text: string) => writeAtomically(OP, path, new TextEncoder().encode(text));
