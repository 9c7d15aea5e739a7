// SPDX-License-Identifier: Apache-2.0
// The one error form of the library: what was asked, what was expected, what came, and what to do about it.
// Everything that a caller can get wrong is reported through `fail`; nothing else builds errors.

/** What kind of mistake or failure an error reports; stable, so that programs may branch on it. */
export type ErrorCode =
  | 'ERR_SHAPE'
  | 'ERR_DTYPE'
  | 'ERR_ARGUMENT'
  | 'ERR_DISPOSED'
  | 'ERR_BUSY'
  | 'ERR_ABORTED'
  | 'ERR_NUMERICS'
  | 'ERR_DATA'
  | 'ERR_FILE'
  | 'ERR_NATIVE_MISSING'
  | 'ERR_OUT_OF_MEMORY';

/** The parts of an error, as its builder is given them. */
export interface ErrorParts {
  /** The operation that refused, in the user's words: `conv2d`, `DataLoader`, `loadWeights`. */
  readonly op: string;
  /** What would have been right. */
  readonly expected: string;
  /** What came instead, with its values. */
  readonly received: string;
  /** The one thing to try, where there is one. */
  readonly hint?: string | undefined;
  /** The error underneath, where there is one. */
  readonly cause?: unknown;
}

/** Every error this library throws on purpose. `path` names the layer where it happened, such as `features.3`. */
export class ReceptiveError extends Error {
  readonly code: ErrorCode;
  readonly op: string;
  readonly expected: string;
  readonly received: string;
  readonly hint: string | undefined;
  path: string | undefined;

  constructor(code: ErrorCode, parts: ErrorParts) {
    super('', parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = 'ReceptiveError';
    this.code = code;
    this.op = parts.op;
    this.expected = parts.expected;
    this.received = parts.received;
    this.hint = parts.hint;
    this.message = this.sentence();
  }

  /** Puts the name of an enclosing layer in front of the path, innermost first. */
  addPath(name: string): void {
    this.path = this.path === undefined ? name : `${name}.${this.path}`;
    this.message = this.sentence();
  }

  private sentence(): string {
    const where = this.path === undefined ? this.op : `${this.op} in layer ${this.path}`;
    const hint = this.hint === undefined ? '' : ` (hint: ${this.hint})`;
    return `${where}: expected ${this.expected}, received ${this.received}${hint} [${this.code}]`;
  }
}

/** Builds an error; the caller throws it, so that control flow stays visible where it happens. */
export function fail(code: ErrorCode, parts: ErrorParts): ReceptiveError {
  return new ReceptiveError(code, parts);
}

/** A short description of any value for the `received` part of an error. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(describe).join(', ')}]`;
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'object';
  if (typeof value === 'function') return `function ${value.name}`;
  return String(value);
}
