// SPDX-License-Identifier: Apache-2.0
// Frozen layers at the beginning of a model make the same features of an image in every epoch. They are computed once, and the
// layers behind them are trained on what is kept.
import { noGrad } from '../autograd/grad-mode.js';
import type { DataLoader } from '../data/loader.js';
import { checkNumber, checkOptions, describe, fail, ReceptiveError } from '../errors.js';
import { layersInRow } from '../nn/chain.js';
import type { Module } from '../nn/module.js';
import { BatchParts } from '../ops/batch-part.js';
import { zeros } from '../tensor/create.js';
import { recordDraws } from '../tensor/random.js';
import { tensorScope } from '../tensor/scope.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type FeaturePass, featuresOf } from './feature-pass.js';
import { LaterLayers, learns } from './later-layers.js';
import { inMode } from './slices.js';

/** What becomes of the features of frozen layers. */
export interface FeatureOptions {
  /**
   * Computes what frozen layers at the model's beginning make of each image once, and not in every epoch, where that is always
   * the same: the model is an `nn.Chain`, as `nn.Sequential` and most networks of this library are; `augment` does not change images;
   * the layers draw nothing and look at each image for itself, and batch norms among them keep their statistics
   * (`freeze(true, { statistics: true })`). The weights then differ by rounding from those without. `cachedFeatures` of the result
   * tells how many layers, `notCached` why none. What is frozen when the training begins has to stay so until it ends. With
   * `budget`, half of the time may go into it. False: never. `maxBytes`: what the features may take, validation set included.
   * Default: 1 GiB.
   */
  readonly cacheFeatures?: boolean | { readonly maxBytes: number } | undefined;
  /** While they are computed, about ten times a second and at the end. */
  readonly onFeatures?: ((report: FeatureReport) => void) | undefined;
}

/** How far the features are. */
export interface FeatureReport {
  /** Images done. */
  readonly images: number;
  /** Images of training and validation set. */
  readonly of: number;
}

/** What was computed once. */
export interface CachedFeatures {
  /** Frozen layers whose output is kept; those of chains in chains are counted one by one. */
  readonly layers: number;
  /** What it takes. */
  readonly bytes: number;
  /** How long it took. */
  readonly seconds: number;
}

const DEFAULT_BYTES = 2 ** 30;

/** The option as a number of bytes; 0 for none at all. Throws ERR_ARGUMENT. */
export function featureBytes({ cacheFeatures = true }: FeatureOptions): number {
  if (typeof cacheFeatures === 'boolean') return cacheFeatures ? DEFAULT_BYTES : 0;
  if (typeof cacheFeatures !== 'object' || cacheFeatures === null) {
    const expected = 'cacheFeatures to be true, false or { maxBytes }';
    throw fail('ERR_ARGUMENT', { op: 'fit', expected, received: describe(cacheFeatures) });
  }
  checkOptions('fit', cacheFeatures, ['maxBytes']);
  return checkNumber('fit', 'maxBytes', cacheFeatures.maxBytes, 0);
}

/** The loaders of a training: what is learnt from, nothing where that is a stream, and what is validated on. */
export interface Loaders {
  readonly images: DataLoader | null;
  readonly validation: DataLoader | null;
}

/** What is trained, on what the loaders now give. */
export interface Training {
  /** Stands for a whole model, this one or its averages: the layers that are left, or all of them. */
  readonly of: (model: Module) => Module;
  readonly cachedFeatures: CachedFeatures | undefined;
  readonly notCached: string | undefined;
}

/**
 * Computes the features of frozen layers, where there are any and it may be done, and lets the loaders give them out.
 *
 * @param maxBytes that they may take; 0 for none at all
 */
export async function cacheFeatures(
  model: Module,
  loaders: Loaders,
  maxBytes: number,
  pass: FeaturePass,
): Promise<Training> {
  const uncached = (notCached?: string) => ({ ...WHOLE, notCached });
  if (maxBytes === 0 || !beginsFrozen(model)) return uncached();
  const { images, validation } = loaders;
  if (images === null) return uncached('the samples of a stream come once');
  const { layers, ended, shape } = frozenLayers(model, images.dataset.imageShape);
  if (!layers.some(({ parameterCount }) => parameterCount > 0)) return uncached(ended);
  if (images.changesImages) return uncached('augment changes the images in every epoch');
  if (pass.followers.some((second) => !holdsSame(second.model, model, layers))) {
    return uncached('averages or slow weights hold other frozen layers');
  }
  const total = images.dataset.length + (validation?.dataset.length ?? 0);
  const bytes = 4 * total * shape.reduce((product, size) => product * size, 1);
  if (bytes > maxBytes) {
    const because = ended === undefined ? '' : `; no later layer, because ${ended}`;
    const last = nameOf(model, layers[layers.length - 1]);
    return uncached(`what ${last} makes of all images takes ${bytes} bytes of ${maxBytes}${because}`);
  }
  const began = performance.now();
  const kept: [DataLoader, Tensor][] = [];
  try {
    for (const loader of validation === null ? [images] : [images, validation]) {
      const before = kept.length === 0 ? 0 : images.dataset.length;
      const part = { loader, learns: loader === images, before, total };
      const features = await featuresOf(model, layers, shape, part, pass).catch(asOutOfMemory);
      if (typeof features === 'string') return uncached(features);
      kept.push([loader, features]);
    }
    for (const [loader, features] of kept.splice(0)) loader.replaceImages(features);
  } finally {
    for (const [, features] of kept) features.dispose();
  }
  const seconds = (performance.now() - began) / 1000;
  const of = (whole: Module) => new LaterLayers(whole, layers.length, shape);
  return { of, cachedFeatures: { layers: layers.length, bytes, seconds }, notCached: undefined };
}

const same = (model: Module) => model;

/** A training of all layers. */
export const WHOLE: Training = { of: same, cachedFeatures: undefined, notCached: undefined };

/** The training may go without them where their memory is what is missing. */
function asOutOfMemory(error: unknown): string {
  if (error instanceof ReceptiveError && error.code === 'ERR_OUT_OF_MEMORY') return error.message;
  throw error;
}

/** Whether a second set of a model's weights has the values of the model itself in some of its layers. */
function holdsSame(second: Module, model: Module, layers: readonly Module[]): boolean {
  const kept = new Set(layers.flatMap((layer) => [...layer.stateDict().values()]));
  const others = second.stateDict();
  return [...model.stateDict()].every(([name, own]) => {
    const other = others.get(name);
    return !kept.has(own) || other === undefined || isSameData(own, other);
  });
}

function isSameData(a: Tensor, b: Tensor): boolean {
  const [x, y] = [a.data(), b.data()];
  return x.every((value, i) => Object.is(value, y[i]));
}

/** Whether the first layer that has something to learn does not. */
function beginsFrozen(model: Module): boolean {
  const layers = layersInRow(model).flatMap((layer) => layer.modules());
  const first = layers.find((layer) => layer.modules().length === 1 && layer.parameterCount > 0);
  return first !== undefined && !learns(first);
}

/** The layers at the beginning that make the same of an image in every epoch, why the next does not, and the shape of what they make. */
function frozenLayers(model: Module, imageShape: Shape) {
  if (model.modules().some(({ isWatched }) => isWatched)) {
    return { layers: [], ended: 'hooks watch the forward passes', shape: [] };
  }
  const all = layersInRow(model);
  return inMode(model, true, () =>
    noGrad(() =>
      tensorScope(() => {
        const layers: Module[] = [];
        let x: Tensor = zeros([1, ...imageShape]);
        for (const layer of all) {
          const y = model === layer ? 'the model is no nn.Chain' : runAlone(model, layer, x);
          if (typeof y === 'string') return { layers, ended: y, shape: x.shape.slice(1) };
          layers.push(layer);
          x = y;
        }
        return { layers, ended: undefined, shape: x.shape.slice(1) };
      }),
    ),
  );
}

/** What a layer makes of an image; or why that is not the same in every epoch, and in every batch. */
function runAlone(model: Module, layer: Module, x: Tensor): Tensor | string {
  const name = nameOf(model, layer);
  if (learns(layer)) return `${name} learns`;
  const moves = layer.modules().find((inner) => inner.training && inner.namedBuffers().length > 0);
  if (moves !== undefined) {
    const where = nameOf(model, moves);
    return `the running statistics of ${where} move, which freeze(true, { statistics: true }) ends`;
  }
  const part = new BatchParts();
  try {
    const { result, draws } = recordDraws(() => part.run(0, 1, () => layer.call(x)));
    if (draws.size > 0) return `${name} draws random numbers`;
    return result.dtype === 'float32' ? result : `${name} gives ${result.dtype}`;
  } catch (error) {
    if (part.refused) return `${name} looks at other images of the batch`;
    throw error;
  }
}

function nameOf(model: Module, layer: Module): string {
  return model.namedModules().find(([, module]) => module === layer)?.[0] ?? 'a layer';
}
