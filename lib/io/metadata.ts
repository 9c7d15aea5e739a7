// SPDX-License-Identifier: Apache-2.0
// What a file of weights says about its model, so that it can be used with nothing else at hand.
import { fail } from '../errors.js';
import { checkPath } from './atomic-file.js';
import { quote } from './header-json.js';
import { openTensors, withFile } from './safetensors-reader.js';

/** What to know of a model besides its weights. */
export interface WeightsMetadata {
  /** Name in `createModel`. */
  readonly model?: string;
  /** [h, w, c] */
  readonly inputShape?: readonly [number, number, number];
  /** What each output means, in order. */
  readonly classNames?: readonly string[];
  /** How pixels become input, per channel. */
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] };
  /** Anything else, as text by name. */
  readonly extra?: Readonly<Record<string, string>>;
}

/** The value of `format` in files that this library wrote. */
const FORMAT = 'receptive';
const isNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isFinite);

/** Text that can be printed: a name from a file must not steer the terminal it is shown on. */
const isName = (value: unknown) => typeof value === 'string' && !/\p{Cc}/u.test(value);

/** How each field must look once it is read, and what to say of it if it does not. */
const FIELDS = {
  model: {
    expected: 'a name',
    fits: isName,
  },
  inputShape: {
    expected: '[h, w, c] of whole numbers above 0',
    fits: (value: unknown) =>
      isNumbers(value) && value.length === 3 && value.every((size) => Number.isSafeInteger(size) && size > 0),
  },
  classNames: {
    expected: 'a list of names',
    fits: (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isName),
  },
  normalization: {
    expected: 'mean and std, one number a channel, std above 0',
    fits: (value: unknown) => {
      if (typeof value !== 'object' || value === null || !('mean' in value) || !('std' in value))
        return false;
      const { mean, std } = value;
      return isNumbers(mean) && isNumbers(std) && mean.length === std.length && std.every((part) => part > 0);
    },
  },
};

/** As text by name, the form of `__metadata__`. Throws ERR_ARGUMENT for a field that could not be read again. */
export function encodeMetadata(metadata: WeightsMetadata): Map<string, string> {
  const text = new Map([['format', FORMAT]]);
  for (const [name, { expected, fits }] of Object.entries(FIELDS)) {
    const value = metadata[name as keyof typeof FIELDS];
    if (value === undefined) continue;
    if (!fits(value)) {
      const received = JSON.stringify(value);
      throw fail('ERR_ARGUMENT', { op: 'saveWeights', expected: `${name} to be ${expected}`, received });
    }
    text.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  for (const [name, value] of Object.entries(metadata.extra ?? {})) {
    if (!text.has(name) && !Object.hasOwn(FIELDS, name) && typeof value === 'string') {
      text.set(name, value);
      continue;
    }
    const expected = 'extra to be text by names that are not taken';
    throw fail('ERR_ARGUMENT', { op: 'saveWeights', expected, received: name });
  }
  return text;
}

/** The metadata of a file's `__metadata__`; what another program wrote all lands in `extra`. */
export function decodeMetadata(text: ReadonlyMap<string, string>, file: string): WeightsMetadata {
  const isOurs = text.get('format') === FORMAT;
  const fields: Record<string, unknown> = {};
  const extra: [string, string][] = [];
  for (const [name, value] of text) {
    if (isOurs && name === 'format') continue;
    if (isOurs && Object.hasOwn(FIELDS, name)) {
      fields[name] = decodeField(name as keyof typeof FIELDS, value, file);
    } else {
      extra.push([name, value]);
    }
  }
  // fromEntries defines properties, so that even a name such as __proto__ is only a name
  return { ...fields, ...(extra.length > 0 && { extra: Object.fromEntries(extra) }) };
}

function decodeField(name: keyof typeof FIELDS, text: string, file: string): unknown {
  const { expected, fits } = FIELDS[name];
  let value: unknown = text;
  try {
    if (name !== 'model') value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (fits(value)) return value;
  throw fail('ERR_DATA', {
    op: `safetensors file ${file}`,
    expected: `metadata ${name} to be ${expected}`,
    received: quote(text),
  });
}

/**
 * What the file of weights at `path` says about its model; reads the header only.
 *
 * Throws ERR_FILE for a file that cannot be read, ERR_DATA for one whose header is wrong.
 */
export async function readMetadata(path: string): Promise<WeightsMetadata> {
  checkPath('readMetadata', path);
  return withFile('readMetadata', 'a file of weights', path, async (source) => {
    return decodeMetadata((await openTensors(source, path)).metadata, path);
  });
}
