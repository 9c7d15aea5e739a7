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
  | 'ERR_CAPTURE'
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

  /** @internal Use `fail`. */
  constructor(code: ErrorCode, parts: ErrorParts) {
    checkParts(code, parts);
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

function checkParts(code: unknown, parts: unknown): void {
  const { op, expected, received } = Object(parts) as Record<string, unknown>;
  if ([code, op, expected, received].every((text) => typeof text === 'string')) return;
  throw fail('ERR_ARGUMENT', {
    op: 'ReceptiveError',
    expected: 'a code, and { op, expected, received } as text',
    received: `${describe(code)}, ${describe(parts)}`,
  });
}

/** Builds an error; the caller throws it, so that control flow stays visible where it happens. */
export function fail(code: ErrorCode, parts: ErrorParts): ReceptiveError {
  return new ReceptiveError(code, parts);
}

const MAX_DESCRIBED = 8;

/** A short description of any value for the `received` part of an error; long and nested arrays are cut short. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) {
    const items = Array.from({ length: Math.min(value.length, MAX_DESCRIBED) }, (_, i) => {
      const item: unknown = value[i];
      return Array.isArray(item) ? `array of ${item.length}` : describe(item);
    });
    return `[${items.join(', ')}${value.length > MAX_DESCRIBED ? `, … ${value.length} in all` : ''}]`;
  }
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'object';
  if (typeof value === 'function') return `function ${value.name}`.trim();
  return String(value);
}

/** The hint of an unknown name: the known one that takes the fewest edits to reach, if that is less than half of it. */
export function didYouMean(name: unknown, known: readonly string[]): string | undefined {
  const asked = String(name).toLowerCase();
  const [best] = known
    .map((candidate) => ({ candidate, edits: editDistance(asked, candidate.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  if (best === undefined || best.edits * 2 > best.candidate.length) return undefined;
  return `did you mean ${best.candidate}?`;
}

/** Refuses anything but an object, and options that this version does not know: a misspelt one would do nothing. */
export function checkOptions(op: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw fail('ERR_ARGUMENT', {
      op,
      expected: `an object with options ${known.join(', ')}`,
      received: describe(options),
    });
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw fail('ERR_ARGUMENT', {
    op,
    expected: known.length === 0 ? 'no options' : `only the options ${known.join(', ')}`,
    received: unknown,
    hint: didYouMean(unknown, known) ?? 'this version does not support it',
  });
}

/** Refuses options that are neither true, false nor left out: 'no' would count as yes. */
export function checkBooleans(op: string, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || typeof value === 'boolean') continue;
    throw fail('ERR_ARGUMENT', { op, expected: `${name} to be true or false`, received: describe(value) });
  }
}

/** Refuses anything but a whole number of at least `low`. */
export function checkWhole(op: string, name: string, value: number, low = 1): number {
  if (Number.isSafeInteger(value) && value >= low) return value;
  const expected = `${name} to be a whole number of at least ${low}`;
  throw fail('ERR_ARGUMENT', { op, expected, received: describe(value) });
}

/** Refuses anything but a finite number from `low` to `high`, both included. */
export function checkNumber(
  op: string,
  name: string,
  value: number,
  low = -Infinity,
  high = Infinity,
): number {
  if (Number.isFinite(value) && value >= low && value <= high) return value;
  const above = low === -Infinity ? 'to be a finite number' : `of at least ${low}`;
  const expected = `${name} ${high === Infinity ? above : `from ${low} to ${high}`}`;
  throw fail('ERR_ARGUMENT', { op, expected, received: describe(value) });
}

/**
 * Refuses a signal that is none and callbacks that are no functions, before anything begins: in the middle of a run there
 * would be nobody to tell.
 */
export function checkListeners(
  op: string,
  signal: unknown,
  callbacks: Readonly<Record<string, unknown>> = {},
): void {
  if (signal !== undefined && !isSignal(signal)) {
    throw fail('ERR_ARGUMENT', { op, expected: 'signal to be an AbortSignal', received: describe(signal) });
  }
  for (const [name, callback] of Object.entries(callbacks)) {
    if (callback === undefined || typeof callback === 'function') continue;
    throw fail('ERR_ARGUMENT', { op, expected: `${name} to be a function`, received: describe(callback) });
  }
}

/** Also one of another realm, or of a library. */
function isSignal(value: unknown): boolean {
  const { aborted, addEventListener, removeEventListener } = Object(value) as Record<string, unknown>;
  return (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  );
}

/** Insertions, deletions and replacements from `a` to `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
