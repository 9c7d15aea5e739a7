// SPDX-License-Identifier: Apache-2.0
// Weights in files, with PyTorch's names and layouts, and their fingerprint.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkOptions, fail } from '../errors.js';
import type { TypedArray } from '../native/bindings.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { listNames } from '../nn/state.js';
import { tensor } from '../tensor/create.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkPath, fileError, writeAtomically } from './atomic-file.js';
import { quote } from './header-json.js';
import { decodeMetadata, encodeMetadata, type WeightsMetadata } from './metadata.js';
import { type ExchangeLayout, exchangeLayouts } from './pytorch-layout.js';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from './safetensors.js';

/**
 * Saves a model's weights and buffers as safetensors: PyTorch's names, convolutions as [outC, inC, kH, kW], columns of
 * linear layers that declare `flattenedFrom` over c, h, w. The weights are those of the moment of the call. A file that was there stays
 * whole until the new one replaces it.
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
  await writeAtomically('saveWeights', path, encodeSafetensors(new Map(stored), metadata));
}

/**
 * Loads weights that `saveWeights`, or PyTorch's safetensors, saved. F32 and F64 files fit models of both. Everything is
 * checked before the first weight changes.
 *
 * @returns what the file says about its model
 *
 * Throws ERR_FILE for a file that cannot be read; ERR_DATA for a damaged one, and for one that is not this model's.
 */
export async function loadWeights(model: Module, path: string): Promise<WeightsMetadata> {
  checkModel('loadWeights', model);
  checkPath('loadWeights', path);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw fileError('loadWeights', 'a file of weights', path, error);
  }
  const file = decodeSafetensors(bytes, path);
  const metadata = decodeMetadata(file.metadata, path);
  const layouts = exchangeLayouts(model);
  checkFits(layouts, file.tensors, path);
  const state = new Map<string, Tensor>();
  try {
    for (const [name, { shape, dtype }] of model.stateDict()) {
      const values = (layouts.get(name) as ExchangeLayout).fromFile(
        file.tensors.get(name)?.data as TypedArray,
      );
      state.set(name, tensor(values, shape, { dtype }).keep());
    }
    model.loadStateDict(state);
  } finally {
    for (const loaded of state.values()) loaded.dispose();
  }
  return metadata;
}

/** Refuses a file with other names, shapes or kinds of numbers than the model has, in the file's own terms. */
function checkFits(
  layouts: ReadonlyMap<string, ExchangeLayout>,
  tensors: ReadonlyMap<string, StoredTensor>,
  path: string,
): void {
  const refuse = (expected: string, received: string) =>
    fail('ERR_DATA', {
      op: `loadWeights from ${path}`,
      expected,
      received,
      hint: 'is it the file of another model?',
    });
  const missing = [...layouts.keys()].filter((name) => !tensors.has(name));
  const unexpected = [...tensors.keys()].filter((name) => !layouts.has(name));
  if (missing.length + unexpected.length > 0) {
    const received = [
      ...(missing.length > 0 ? [`no ${listNames(missing)}`] : []),
      ...(unexpected.length > 0 ? [`unexpected ${listNames(unexpected.map(quote))}`] : []),
    ];
    throw refuse(`the tensors ${listNames([...layouts.keys()])}`, received.join('; '));
  }
  for (const [name, { fileShape, int64 }] of layouts) {
    const { shape, data } = tensors.get(name) as StoredTensor;
    const isFloat = data instanceof Float32Array || data instanceof Float64Array;
    if (isFloat !== int64 && sameShape(shape, fileShape)) continue;
    const kind = (isWhole: boolean) => (isWhole ? ' of whole numbers' : '');
    throw refuse(
      `${name} [${fileShape.join(', ')}]${kind(int64)}`,
      `[${shape.slice(0, 8).join(', ')}]${kind(!isFloat)}`,
    );
  }
}

/** SHA-256 over the bytes of all parameters and buffers, in the order of `stateDict`, in hexadecimal. */
export function weightsSha256(model: Module): string {
  checkModel('weightsSha256', model);
  const hash = createHash('sha256');
  for (const tensor of model.stateDict().values()) hash.update(tensor.data());
  return hash.digest('hex');
}
