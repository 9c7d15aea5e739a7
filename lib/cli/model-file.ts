// SPDX-License-Identifier: Apache-2.0
// A trained model as one file: weights, and all that is needed to use them with nothing else at hand.
import { stat } from 'node:fs/promises';
import type { Normalization } from '../data/dataset.js';
import type { AnyDataset } from '../data/packed-dataset.js';
import { didYouMean, fail, ReceptiveError } from '../errors.js';
import { readMetadata } from '../io/metadata.js';
import { loadWeights, saveWeights, weightsSha256 } from '../io/weights.js';
import { createModel, modelNames } from '../models/registry.js';
import type { Module } from '../nn/module.js';
import { withoutMemory } from '../nn/without-memory.js';
import { networkOf } from './search-space-file.js';

/** What is saved. */
export interface ModelToSave {
  readonly modelName: string;
  readonly model: Module;
  /** Its images, classes and normalisation are what the model is for. */
  readonly dataset: AnyDataset;
  readonly flags: { readonly data: string; readonly seed: number };
  /** Its layers, as a search space with nothing open, where the model is no `modelName` of `createModel`. */
  readonly network?: string;
}

/** What a network of a search is called: its layers stand in the file. */
export const SEARCHED = 'searched';

/** A model as a file describes it. */
export interface LoadedModel {
  readonly path: string;
  readonly name: string;
  readonly model: Module;
  readonly inputShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly normalization: Normalization;
  /** Name and seed of the data set that it was trained on, if the file says so. */
  readonly data: string | undefined;
  readonly seed: number | undefined;
}

/** Saves a model whole or not at all. Throws ERR_FILE. */
export async function saveModel(path: string, { modelName, model, dataset, flags, network }: ModelToSave) {
  const { imageShape, classNames, normalization } = dataset;
  const extra = {
    ...{ data: flags.data, seed: String(flags.seed) },
    ...(network !== undefined && { network }),
  };
  await saveWeights(model, path, {
    metadata: { model: modelName, inputShape: imageShape, classNames, normalization, extra },
  });
  return { path, weightsSha256: weightsSha256(model) };
}

/** Builds the model that a file describes and loads its weights. Throws ERR_FILE, ERR_DATA. */
export async function loadModel(path: string): Promise<LoadedModel> {
  const { model: name, inputShape, classNames, normalization, extra } = await metadataOf(path);
  if (name === undefined || inputShape === undefined || classNames === undefined) {
    throw fail('ERR_DATA', {
      op: `model file ${path}`,
      expected: 'a file that says which model it is, with input shape and class names',
      received: 'weights alone',
      hint: 'files of other programs are loaded in code, with loadWeights',
    });
  }
  const channels = inputShape[2];
  const described = { name, inputShape, classes: classNames.length, network: extra?.network };
  checkSize(path, (await stat(path)).size, described);
  const model = build(path, described);
  await loadWeights(model, path);
  const seed = Number(extra?.seed);
  return {
    path,
    name,
    model,
    inputShape,
    classNames,
    normalization: checkNormalization(path, normalization, channels),
    data: extra?.data,
    seed: Number.isSafeInteger(seed) ? seed : undefined,
  };
}

/** A model by its name, fresh, or from a saved file. Throws ERR_ARGUMENT, ERR_FILE, ERR_DATA. */
export async function findModel(op: string, nameOrPath: string) {
  if (modelNames.includes(nameOrPath)) return createModel(nameOrPath);
  const looksLikePath = /[/\\.]/.test(nameOrPath);
  if (looksLikePath) {
    const loaded = await loadModel(nameOrPath);
    return { ...loaded, classes: loaded.classNames.length };
  }
  throw fail('ERR_ARGUMENT', {
    op,
    expected: `one of ${modelNames.join(', ')}, or the path of a .safetensors file`,
    received: nameOrPath,
    hint: didYouMean(nameOrPath, modelNames),
  });
}

/** The metadata; an error names what was asked for, not the function that found out. */
async function metadataOf(path: string) {
  try {
    return await readMetadata(path);
  } catch (error) {
    if (!(error instanceof ReceptiveError) || error.op !== 'readMetadata') throw error;
    const { code, expected, received, hint } = error;
    throw fail(code, { op: 'reading the model', expected, received, hint, cause: error });
  }
}

const SMALLEST_ELEMENT = 4; // bytes: no model has weights of fewer

/** What a file says of the model to be built. */
interface Described {
  readonly name: string;
  readonly inputShape: readonly [number, number, number];
  readonly classes: number;
  readonly network: string | undefined;
}

/** A few bytes can describe a model of gigabytes: its size is learnt without its memory. */
function checkSize(path: string, fileBytes: number, described: Described): void {
  const elements = withoutMemory(() => {
    const model = build(path, described);
    return [...model.stateDict().values()].reduce((sum, { size }) => sum + size, 0);
  });
  if (elements * SMALLEST_ELEMENT <= fileBytes) return;
  const { name, inputShape } = described;
  throw fail('ERR_DATA', {
    op: `model file ${path}`,
    expected: `at least ${elements * SMALLEST_ELEMENT} bytes, for the weights of ${name} for [${inputShape.join(', ')}]`,
    received: `a file of ${fileBytes}`,
    hint: 'the file is damaged, unfinished or not what it says',
  });
}

/** A file may name a model or a size that this version does not have: that is the file's fault, not the caller's. */
function build(path: string, { name, inputShape, classes, network }: Described): Module {
  try {
    if (name === SEARCHED && network !== undefined) {
      return networkOf('its network', network, { imageShape: inputShape, classes });
    }
    return createModel(name, { inputShape, classes }).model;
  } catch (cause) {
    throw fail('ERR_DATA', {
      op: `model file ${path}`,
      expected: `a model that this version can build${cause instanceof ReceptiveError ? `: ${cause.expected}` : ''}`,
      received: `${name} for [${inputShape.join(', ')}] and ${classes} classes`,
      cause,
    });
  }
}

function checkNormalization(path: string, found: Normalization | undefined, channels: number): Normalization {
  if (found === undefined) {
    return { mean: new Array<number>(channels).fill(0), std: new Array<number>(channels).fill(1) };
  }
  if (found.mean.length === channels) return found;
  throw fail('ERR_DATA', {
    op: `model file ${path}`,
    expected: `normalization of ${channels} channels`,
    received: `${found.mean.length}`,
  });
}
