// SPDX-License-Identifier: Apache-2.0
// What a model says about images.
import { noGrad } from '../autograd/grad-mode.js';
import { checkBooleans, checkListeners, checkOptions, checkWhole, describe, fail } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';
import { checkModel } from '../nn/check-model.js';
import type { Module } from '../nn/module.js';
import { argmax } from '../ops/classify.js';
import { type GatherNormalization, gatherImages } from '../ops/gather.js';
import { softmax } from '../ops/softmax.js';
import { tensor } from '../tensor/create.js';
import { tensorScope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { CapturedPass } from './captured-inference.js';
import { DEFAULT_BATCH } from './evaluate.js';
import { classesOf } from './fits.js';
import { checkManners, type MannersOptions } from './manners.js';
import { type FoldOptions, foldingOf } from './planning.js';
import { inMode, inSlices } from './slices.js';

/** How to predict. */
export interface PredictOptions extends MannersOptions, FoldOptions {
  /** `[h, w, c]` of each image; needed for typed arrays, which have no shape. */
  readonly imageShape?: readonly [number, number, number] | undefined;
  /** Per channel, as the model was trained: (value - mean) / std; bytes are divided by 255 first. Default: 0 and 1. */
  readonly normalization?: { readonly mean: readonly number[]; readonly std: readonly number[] } | undefined;
  /** Images at a time. Default 256. */
  readonly batchSize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Record the forward pass once and replay it natively, so that the event loop stays free. Default true; a model that looks
   * at values of tensors runs eagerly. The result is the same either way.
   */
  readonly capture?: boolean | undefined;
}

/** What a model thinks of some images. */
export interface Prediction {
  /** `[n, classes]`, row-major: each row sums to 1. */
  readonly probabilities: Float32Array;
  /** `[n, classes]`. */
  readonly shape: readonly [number, number];
  /** `[n]`: the most probable class of each image. */
  readonly classes: Int32Array;
  /** Whether the pass was captured and replayed natively. */
  readonly captured: boolean;
  /** Why it was not, where the model did not allow it. */
  readonly notCaptured: string | undefined;
}

/**
 * Class probabilities of images. The model runs in evaluation mode and is left as it was. The pass is captured where the
 * model allows it, and the event loop is free; else it turns every 25 ms or so.
 *
 * @param images `[n, h, w, c]`: a tensor (float32 or uint8, not disposed here), or a typed array together with
 *   `imageShape`
 *
 * Throws ERR_SHAPE where the images do not fit the model or their shape, ERR_DTYPE, ERR_ARGUMENT for no images or a wrong
 * option, ERR_ABORTED when the signal said so, ERR_CAPTURE where `fold` is asked for without capture.
 */
export async function predict(
  model: Module,
  images: Uint8Array | Float32Array | Tensor,
  options: PredictOptions = {},
): Promise<Prediction> {
  using job = new Job(model, images, options, options.capture === false ? 'capture: false' : undefined);
  const notCaptured = options.capture === false ? undefined : await job.runCaptured();
  if (options.capture === false || notCaptured !== undefined) await job.runInSlices();
  return job.result(options.capture !== false && notCaptured === undefined, notCaptured);
}

/**
 * `predict` on this thread, holding the event loop until all is done: for scripts. The same numbers, and the same errors,
 * thrown; the signal has no say but before the beginning.
 */
export function predictSync(
  model: Module,
  images: Uint8Array | Float32Array | Tensor,
  options: PredictOptions = {},
): Prediction {
  using job = new Job(model, images, options, 'predictSync, which runs eagerly');
  if (options.signal?.aborted !== true) job.runAtOnce();
  return job.result(false, undefined);
}

const KNOWN_OPTIONS = [
  ...['imageShape', 'normalization', 'batchSize', 'signal', 'capture', 'fold'],
  ...['threads', 'priority', 'cpuShare'],
];

/** One call of `predict`, after its checks. */
class Job {
  readonly #model: Module;
  readonly #options: PredictOptions;
  readonly #manners: MannersOptions;
  readonly #planning: PlanOptions;
  readonly #batchSize: number;
  readonly #images: Tensor;
  readonly #owned: Tensor | undefined;
  readonly #normalization: GatherNormalization;
  readonly #count: number;
  readonly #classCount: number;
  readonly #probabilities: Float32Array;
  readonly #classes: Int32Array;
  /** Images that are done. */
  #done = 0;

  /** @param notCaptured why the pass will not be captured, if it will not */
  constructor(
    model: Module,
    images: Uint8Array | Float32Array | Tensor,
    options: PredictOptions,
    notCaptured: string | undefined,
  ) {
    checkOptions('predict', options, KNOWN_OPTIONS);
    checkBooleans('predict', { capture: options.capture });
    this.#manners = checkManners('predict', options);
    this.#planning = foldingOf('predict', options, notCaptured);
    checkModel('predict', model);
    checkListeners('predict', options.signal);
    this.#model = model;
    this.#options = options;
    this.#batchSize = checkWhole('predict', 'batchSize', options.batchSize ?? DEFAULT_BATCH);
    this.#owned = images instanceof Tensor ? undefined : upload(images, options.imageShape);
    this.#images = this.#owned ?? (images as Tensor);
    try {
      const [count, ...imageShape] = checkImages(this.#images);
      const channels = imageShape[2];
      this.#count = count;
      this.#classCount = classesOf('predict', model, imageShape);
      this.#normalization = checkNormalization(options.normalization, channels) ?? {
        mean: new Array<number>(channels).fill(0),
        std: new Array<number>(channels).fill(1),
      };
    } catch (error) {
      this.#owned?.dispose();
      throw error;
    }
    this.#probabilities = new Float32Array(this.#count * this.#classCount);
    this.#classes = new Int32Array(this.#count);
  }

  #forward(rows: Tensor) {
    const logits = this.#model.call(gatherImages(this.#images, rows, this.#normalization));
    return { probabilities: softmax(logits), classes: argmax(logits) };
  }

  /** The whole pass as recorded steps; why that is not possible, if it is not. */
  async runCaptured(): Promise<string | undefined> {
    const rows = Int32Array.from({ length: this.#count }, (_, row) => row);
    const forward = (rows: Tensor) => this.#forward(rows);
    using pass = new CapturedPass(this.#model, rows, this.#batchSize, this.#planning, forward);
    if (pass.notCaptured !== undefined) {
      foldingOf('predict', this.#options, pass.notCaptured);
      return pass.notCaptured;
    }
    this.#done = await pass.run(
      this.#options.signal,
      (first, _, { probabilities, classes }) => {
        this.#probabilities.set(probabilities, first * this.#classCount);
        this.#classes.set(classes, first);
      },
      this.#manners,
    );
    return undefined;
  }

  /** One batch, eagerly; true if there are more. */
  readonly #batch = (): boolean => {
    const first = this.#done;
    const length = Math.min(this.#batchSize, this.#count - first);
    tensorScope(() => {
      const { probabilities, classes } = this.#forward(
        tensor(Int32Array.from({ length }, (_, i) => first + i)),
      );
      this.#probabilities.set(probabilities.data(), first * this.#classCount);
      this.#classes.set(classes.data(), first);
    });
    this.#done += length;
    return this.#done < this.#count;
  };

  async runInSlices(): Promise<void> {
    await inSlices(this.#model, false, () => noGrad(this.#batch), this.#options.signal);
  }

  runAtOnce(): void {
    inMode(this.#model, false, () => {
      while (noGrad(this.#batch));
    });
  }

  /** Throws ERR_ABORTED where images are left. */
  result(captured: boolean, notCaptured: string | undefined): Prediction {
    if (this.#done < this.#count) throw aborted(this.#options.signal);
    return {
      probabilities: this.#probabilities,
      shape: [this.#count, this.#classCount],
      classes: this.#classes,
      captured,
      notCaptured,
    };
  }

  [Symbol.dispose](): void {
    this.#owned?.dispose();
  }
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

function upload(images: Uint8Array | Float32Array, imageShape: PredictOptions['imageShape']): Tensor {
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
