// SPDX-License-Identifier: Apache-2.0
// What a model says about images.
import { noGrad } from '../autograd/grad-mode.js';
import { describe, fail } from '../errors.js';
import type { Module } from '../nn/module.js';
import { argmax } from '../ops/classify.js';
import { gatherImages } from '../ops/gather.js';
import { softmax } from '../ops/softmax.js';
import { tensor } from '../tensor/create.js';
import { tensorScope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { DEFAULT_BATCH } from './evaluate.js';
import { classesOf } from './fits.js';
import { inSlices } from './slices.js';

/** How to predict. */
export interface PredictOptions {
  /** `[h, w, c]` of each image; needed for typed arrays, which have no shape. */
  readonly imageShape?: readonly [number, number, number] | undefined;
  /** Per channel, as the model was trained: (value - mean) / std; bytes are divided by 255 first. Default: 0 and 1. */
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] } | undefined;
  /** Images at a time. Default 256. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a model thinks of some images. */
export interface Prediction {
  /** `[n, classes]`, row-major: each row sums to 1. */
  readonly probabilities: Float32Array;
  /** `[n, classes]`. */
  readonly shape: readonly [number, number];
  /** `[n]`: the most probable class of each image. */
  readonly classes: Int32Array;
}

/**
 * Class probabilities of images. The model runs in evaluation mode and is left as it was; the event loop turns every
 * 25 ms or so.
 *
 * @param images `[n, h, w, c]`: a tensor (float32 or uint8, not disposed here), or a typed array together with
 *   `imageShape`
 *
 * Throws ERR_SHAPE where the images do not fit the model or their shape, ERR_DTYPE, ERR_ARGUMENT for no images or a wrong
 * option, ERR_ABORTED when the signal said so.
 */
export async function predict(
  model: Module,
  images: Uint8Array | Float32Array | Tensor,
  options: PredictOptions = {},
): Promise<Prediction> {
  const batchSize = checkBatchSize(options.batchSize ?? DEFAULT_BATCH);
  const owned = images instanceof Tensor ? undefined : upload(images, options.imageShape);
  const all = owned ?? (images as Tensor);
  try {
    const [count, ...imageShape] = checkImages(all);
    const classCount = classesOf('predict', model, imageShape);
    const channels = imageShape[2];
    const normalization = options.normalization ?? {
      mean: new Array<number>(channels).fill(0),
      std: new Array<number>(channels).fill(1),
    };
    const probabilities = new Float32Array(count * classCount);
    const classes = new Int32Array(count);
    let first = 0;
    const body = () => {
      const rows = Int32Array.from({ length: Math.min(batchSize, count - first) }, (_, i) => first + i);
      const logits = model.call(gatherImages(all, tensor(rows), normalization));
      probabilities.set(softmax(logits).data(), first * classCount);
      classes.set(argmax(logits).data(), first);
      first += rows.length;
      return first < count;
    };
    const step = () => noGrad(() => tensorScope(body));
    await inSlices(model, false, step, options.signal);
    if (first < count) throw aborted(options.signal);
    return { probabilities, shape: [count, classCount], classes };
  } finally {
    owned?.dispose();
  }
}

function checkBatchSize(batchSize: number): number {
  if (Number.isSafeInteger(batchSize) && batchSize > 0) return batchSize;
  throw fail('ERR_ARGUMENT', {
    op: 'predict',
    expected: 'batchSize to be a whole number of at least 1',
    received: describe(batchSize),
  });
}

function upload(images: Uint8Array | Float32Array, imageShape: PredictOptions['imageShape']): Tensor {
  if (!(images instanceof Uint8Array) && !(images instanceof Float32Array)) {
    throw fail('ERR_DTYPE', {
      op: 'predict',
      expected: 'images in a Uint8Array, a Float32Array or a Tensor',
      received: describe(images),
    });
  }
  const size = imageShape?.reduce((product, length) => product * length, 1) ?? 0;
  if (imageShape === undefined || imageShape.length !== 3 || !(size > 0)) {
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
  return tensor(images, [images.length / size, ...imageShape]).keep();
}

function checkImages(images: Tensor): readonly number[] {
  const fits =
    images.shape.length === 4 && !images.disposed && (images.dtype === 'float32' || images.dtype === 'uint8');
  if (fits) return images.shape;
  throw fail(images.disposed ? 'ERR_DISPOSED' : images.shape.length === 4 ? 'ERR_DTYPE' : 'ERR_SHAPE', {
    op: 'predict',
    expected: 'a live tensor of float32 or uint8 images, [n, h, w, c]',
    received: String(images),
  });
}

function aborted(signal: AbortSignal | undefined) {
  return fail('ERR_ABORTED', {
    op: 'predict',
    expected: 'to run to the end',
    received: 'an abort signal',
    cause: signal?.reason,
  });
}
