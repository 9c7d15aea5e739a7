// SPDX-License-Identifier: Apache-2.0
// Weights in files, with PyTorch's names and layouts, and their fingerprint.
import { createHash } from 'node:crypto';
import { checkBooleans, checkOptions, fail } from '../errors.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { listNames } from '../nn/state.js';
import { tensor } from '../tensor/create.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkPath, writeAtomically } from './atomic-file.js';
import { quote } from './header-json.js';
import { decodeMetadata, encodeMetadata, type WeightsMetadata } from './metadata.js';
import { piecesOf } from './pieces.js';
import { type ExchangeLayout, exchangeLayouts } from './pytorch-layout.js';
import { type SafetensorsEntry, type StoredTensor, safetensorsParts } from './safetensors.js';
import { openTensors, readTensor, withFile } from './safetensors-reader.js';

/**
 * Saves a model's weights and buffers as safetensors: PyTorch's names, convolutions as [outC, inC, kH, kW], columns of
 * linear layers that declare `flattenedFrom` over c, h, w. The weights are those of the moment of the call, which takes a
 * copy of them, the only one. A file that was there stays whole until the new one replaces it.
 *
 * @param options metadata: what the file says about the model
 *
 * Throws ERR_FILE where it cannot be written, ERR_ARGUMENT for wrong metadata.
 */
export async function saveWeights(
  model: Module,
  path: string,
  options: { readonly metadata?: WeightsMetadata } = {},
): Promise<void> {
  checkModel('saveWeights', model);
  checkOptions('saveWeights', options, ['metadata']);
  checkPath('saveWeights', path);
  const metadata = encodeMetadata(options.metadata ?? {});
  const layouts = exchangeLayouts(model);
  const stored = [...model.stateDict()].map(([name, tensor]): [string, StoredTensor] => {
    const { fileShape, int64, toFile } = layouts.get(name) as ExchangeLayout;
    return [name, { shape: fileShape, data: toFile(tensor.data()), int64 }];
  });
  await writeAtomically('saveWeights', path, safetensorsParts(new Map(stored), metadata));
}

/** What became of the tensors of a file and of a model, by name, where not all had to fit. */
export interface LoadReport {
  /** Loaded. */
  readonly matched: readonly string[];
  /** In the model only: they stay as they were. */
  readonly missing: readonly string[];
  /** In the file only. */
  readonly unexpected: readonly string[];
  /** In both, with other shapes or kinds of numbers: they stay as they were. In words: `fc.weight [10, 84], not [1000, 512]`. */
  readonly mismatched: readonly string[];
}

/** How weights are loaded. */
export interface LoadWeightsOptions {
  /** Refuse a file that is not this model's in all names and shapes. False: take what fits, as for a new head. Default true. */
  readonly strict?: boolean | undefined;
}

/**
 * Loads weights that `saveWeights`, or PyTorch's safetensors, saved. F32 and F64 files fit models of both. Everything is
 * checked, and what fits read into memory of its own, before the first weight changes.
 *
 * @returns what the file says about its model; without `strict` also `report`, what was loaded and what was not
 *
 * Throws ERR_FILE for a file that cannot be read; ERR_DATA for a damaged one, for one that is not this model's, and without
 * `strict` for one of which nothing fits; ERR_ARGUMENT for wrong options.
 */
export async function loadWeights(
  model: Module,
  path: string,
  options: LoadWeightsOptions & { readonly strict: false },
): Promise<WeightsMetadata & { readonly report: LoadReport }>;
export async function loadWeights(
  model: Module,
  path: string,
  options?: LoadWeightsOptions,
): Promise<WeightsMetadata>;
export async function loadWeights(
  model: Module,
  path: string,
  options: LoadWeightsOptions = {},
): Promise<WeightsMetadata & { readonly report?: LoadReport }> {
  checkModel('loadWeights', model);
  checkPath('loadWeights', path);
  checkOptions('loadWeights', options, ['strict']);
  checkBooleans('loadWeights', { strict: options.strict });
  const { strict = true } = options;
  return withFile('loadWeights', 'a file of weights', path, async (source) => {
    const file = await openTensors(source, path);
    const metadata = decodeMetadata(file.metadata, path);
    const entries = new Map(file.entries.map((entry) => [entry.name, entry]));
    const layouts = exchangeLayouts(model);
    if (strict) checkFits(layouts, entries, path);
    const report = reportOn(layouts, entries);
    if (!strict && report.matched.length === 0) throw nothingFits(layouts, entries, path);
    const state = new Map<string, Tensor>();
    const own = model.stateDict();
    try {
      for (const name of report.matched) {
        const { data } = await readTensor(file, entries.get(name) as SafetensorsEntry);
        const { shape, dtype } = own.get(name) as Tensor;
        const { fromFile } = layouts.get(name) as ExchangeLayout;
        state.set(name, tensor(fromFile(data), shape, { dtype }).keep());
      }
      await source.check();
      model.loadStateDict(state, { strict });
    } finally {
      for (const loaded of state.values()) loaded.dispose();
    }
    return strict ? metadata : { ...metadata, report };
  });
}

/** Compares what a model has with what a file has. */
function reportOn(
  layouts: ReadonlyMap<string, ExchangeLayout>,
  entries: ReadonlyMap<string, SafetensorsEntry>,
): LoadReport {
  const shared = [...layouts].filter(([name]) => entries.has(name));
  const wordsFor = (name: string) =>
    mismatchOf(layouts.get(name) as ExchangeLayout, entries.get(name) as SafetensorsEntry);
  return {
    matched: shared.flatMap(([name]) => (wordsFor(name) === undefined ? name : [])),
    missing: [...layouts.keys()].filter((name) => !entries.has(name)),
    unexpected: [...entries.keys()].filter((name) => !layouts.has(name)),
    mismatched: shared.flatMap(([name]) => {
      const words = wordsFor(name);
      return words === undefined ? [] : `${name} ${words.expected}, not ${words.received}`;
    }),
  };
}

/** In words, how a stored tensor differs from what it is to be; nothing where it fits. */
function mismatchOf({ fileShape, int64 }: ExchangeLayout, { shape, dtype }: SafetensorsEntry) {
  const isFloat = dtype === 'float32' || dtype === 'float64';
  if (isFloat !== int64 && sameShape(shape, fileShape)) return undefined;
  const kind = (isWhole: boolean) => (isWhole ? ' of whole numbers' : '');
  return {
    expected: `[${fileShape.join(', ')}]${kind(int64)}`,
    received: `[${shape.slice(0, 8).join(', ')}]${kind(!isFloat)}`,
  };
}

function nothingFits(
  layouts: ReadonlyMap<string, ExchangeLayout>,
  entries: ReadonlyMap<string, SafetensorsEntry>,
  path: string,
) {
  return fail('ERR_DATA', {
    op: `loadWeights from ${path}`,
    expected: `at least one of the tensors ${listNames([...layouts.keys()])}`,
    received: listNames([...entries.keys()].map(quote)) || 'no tensor',
    hint: 'is it the file of another model?',
  });
}

/** Refuses a file with other names, shapes or kinds of numbers than the model has, in the file's own terms. */
function checkFits(
  layouts: ReadonlyMap<string, ExchangeLayout>,
  entries: ReadonlyMap<string, SafetensorsEntry>,
  path: string,
): void {
  const refuse = (expected: string, received: string) =>
    fail('ERR_DATA', {
      op: `loadWeights from ${path}`,
      expected,
      received,
      hint: 'is it the file of another model?',
    });
  const missing = [...layouts.keys()].filter((name) => !entries.has(name));
  const unexpected = [...entries.keys()].filter((name) => !layouts.has(name));
  if (missing.length + unexpected.length > 0) {
    const received = [
      ...(missing.length > 0 ? [`no ${listNames(missing)}`] : []),
      ...(unexpected.length > 0 ? [`unexpected ${listNames(unexpected.map(quote))}`] : []),
    ];
    throw refuse(`the tensors ${listNames([...layouts.keys()])}`, received.join('; '));
  }
  for (const [name, layout] of layouts) {
    const words = mismatchOf(layout, entries.get(name) as SafetensorsEntry);
    if (words !== undefined) throw refuse(`${name} ${words.expected}`, words.received);
  }
}

/** SHA-256 over the bytes of all parameters and buffers, in the order of `stateDict`, in hexadecimal. */
export function weightsSha256(model: Module): string {
  checkModel('weightsSha256', model);
  const hash = createHash('sha256');
  for (const tensor of model.stateDict().values()) {
    for (const piece of piecesOf(tensor.data())) hash.update(piece);
  }
  return hash.digest('hex');
}
