// SPDX-License-Identifier: Apache-2.0
// What a prediction is asked: images and options, checked before anything is done.
import { checkBooleans, checkListeners, checkOptions, checkWhole, describe, fail } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import type { GatherNormalization } from '../ops/gather.js';
import { Tensor } from '../tensor/tensor.js';
import { DEFAULT_BATCH } from './evaluate.js';
import { checkManners, type MannersOptions } from './manners.js';
import { foldingOf } from './planning.js';
import type { PredictOptions } from './predict.js';
import { checkTta, type TtaName } from './tta.js';

/** Images with a shape, and how to look at them. */
export interface PredictionRequest {
  readonly images: Uint8Array | Float32Array | Tensor;
  /** How many images. */
  readonly count: number;
  /** Of one: [h, w, c]. */
  readonly imageShape: readonly [number, number, number];
  readonly dtype: 'uint8' | 'float32';
  /** Undefined where nobody asked for one. */
  readonly normalization: GatherNormalization | undefined;
  readonly batchSize: number;
  readonly manners: MannersOptions;
  readonly planning: PlanOptions;
  readonly tta: TtaName;
  readonly signal: AbortSignal | undefined;
}

type ImagesShape = readonly [count: number, height: number, width: number, channels: number];

const KNOWN_OPTIONS = [
  ...['imageShape', 'normalization', 'batchSize', 'signal', 'capture', 'fold', 'tta'],
  ...['threads', 'priority', 'cpuShare'],
];

/**
 * The request that the arguments of `predict` make. Throws what `predict` says of images and options.
 *
 * @param notCaptured why the pass will not be captured, if it will not
 */
export function predictionRequest(
  model: Module,
  images: Uint8Array | Float32Array | Tensor,
  options: PredictOptions,
  notCaptured: string | undefined,
): PredictionRequest {
  checkOptions('predict', options, KNOWN_OPTIONS);
  checkBooleans('predict', { capture: options.capture });
  const manners = checkManners('predict', options);
  const planning = foldingOf('predict', options, notCaptured);
  const tta = checkTta('predict', options);
  checkModel('predict', model);
  checkListeners('predict', options.signal);
  const batchSize = checkWhole('predict', 'batchSize', options.batchSize ?? DEFAULT_BATCH);
  const [count, ...imageShape] = images instanceof Tensor ? checkImages(images) : shapeOf(images, options);
  return {
    images,
    count,
    imageShape,
    dtype: images instanceof Uint8Array || (images as Tensor).dtype === 'uint8' ? 'uint8' : 'float32',
    normalization: checkNormalization(options.normalization, imageShape[2]),
    batchSize,
    manners,
    planning,
    tta,
    signal: options.signal,
  };
}

/** The normalisation that changes no value but for what every image goes through. */
export function noNormalization(channels: number): GatherNormalization {
  return { mean: new Array<number>(channels).fill(0), std: new Array<number>(channels).fill(1) };
}

/** Refuses a normalisation that has not a mean and a standard deviation for each channel. */
function checkNormalization(normalization: PredictOptions['normalization'], channels: number) {
  if (normalization === undefined) return undefined;
  const { mean, std } = Object(normalization) as Record<string, unknown>;
  const isList = (list: unknown): list is number[] =>
    Array.isArray(list) && list.length === channels && list.every(Number.isFinite);
  if (isList(mean) && isList(std) && std.every((part) => part > 0)) return { mean, std };
  throw fail('ERR_ARGUMENT', {
    op: 'predict',
    expected: `normalization { mean, std } with ${channels} numbers each, std above 0`,
    received: `mean ${describe(mean)}, std ${describe(std)}`,
  });
}

/** [n, h, w, c] of a typed array. */
function shapeOf(images: Uint8Array | Float32Array, { imageShape }: PredictOptions): ImagesShape {
  if (!(images instanceof Uint8Array) && !(images instanceof Float32Array)) {
    throw fail('ERR_DTYPE', {
      op: 'predict',
      expected: 'images in a Uint8Array, a Float32Array or a Tensor',
      received: describe(images),
    });
  }
  const size = Array.isArray(imageShape) ? imageShape.reduce((product, length) => product * length, 1) : 0;
  if (!Array.isArray(imageShape) || imageShape.length !== 3 || !(size > 0)) {
    throw fail('ERR_ARGUMENT', {
      op: 'predict',
      expected: 'imageShape [h, w, c] with a typed array',
      received: describe(imageShape),
    });
  }
  if (images.length === 0 || images.length % size !== 0) {
    throw fail('ERR_SHAPE', {
      op: 'predict',
      expected: `a positive multiple of ${size} values, for images of [${imageShape.join(', ')}]`,
      received: String(images.length),
      hint: images.length === 0 ? 'was its buffer transferred (detached)?' : undefined,
    });
  }
  const [height, width, channels] = imageShape;
  return [images.length / size, height, width, channels];
}

function checkImages(images: Tensor): ImagesShape {
  const fits =
    images.shape.length === 4 && !images.disposed && (images.dtype === 'float32' || images.dtype === 'uint8');
  if (fits) return images.shape as ImagesShape;
  throw fail(images.disposed ? 'ERR_DISPOSED' : images.shape.length === 4 ? 'ERR_DTYPE' : 'ERR_SHAPE', {
    op: 'predict',
    expected: 'a live tensor of float32 or uint8 images, [n, h, w, c]',
    received: String(images),
  });
}

/** What a prediction throws that its signal ended. */
export function abortedPrediction(signal: AbortSignal | undefined) {
  return fail('ERR_ABORTED', {
    op: 'predict',
    expected: 'to run to the end',
    received: 'an abort signal',
    cause: signal?.reason,
  });
}
