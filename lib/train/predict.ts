// SPDX-License-Identifier: Apache-2.0
// What a model says about images.
import { noGrad } from '../autograd/grad-mode.js';
import type { Module } from '../nn/module.js';
import { argmax } from '../ops/classify.js';
import { type GatherNormalization, gatherImages } from '../ops/gather.js';
import { softmax } from '../ops/softmax.js';
import { tensor } from '../tensor/create.js';
import { tensorScope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { CapturedPass } from './captured-inference.js';
import { classesOf } from './fits.js';
import type { MannersOptions } from './manners.js';
import { type FoldOptions, foldingOf } from './planning.js';
import {
  abortedPrediction,
  noNormalization,
  type PredictionRequest,
  predictionRequest,
} from './prediction-request.js';
import { inMode, inSlices } from './slices.js';
import { callOnViews, type TtaOptions } from './tta.js';

/** How to predict. */
export interface PredictOptions extends MannersOptions, FoldOptions, TtaOptions {
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

/** One call of `predict`, after its checks. */
class Job {
  readonly #model: Module;
  readonly #options: PredictOptions;
  readonly #request: PredictionRequest;
  readonly #images: Tensor;
  readonly #owned: Tensor | undefined;
  readonly #normalization: GatherNormalization;
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
    const request = predictionRequest(model, images, options, notCaptured);
    const { count, imageShape } = request;
    this.#model = model;
    this.#options = options;
    this.#request = request;
    this.#classCount = classesOf('predict', model, imageShape);
    this.#normalization = request.normalization ?? noNormalization(imageShape[2]);
    this.#probabilities = new Float32Array(count * this.#classCount);
    this.#classes = new Int32Array(count);
    this.#owned = images instanceof Tensor ? undefined : tensor(images, [count, ...imageShape]).keep();
    this.#images = this.#owned ?? (images as Tensor);
  }

  #forward(rows: Tensor) {
    const images = gatherImages(this.#images, rows, this.#normalization);
    const logits = callOnViews(this.#model, images, this.#request.tta);
    return { probabilities: softmax(logits), classes: argmax(logits) };
  }

  /** The whole pass as recorded steps; why that is not possible, if it is not. */
  async runCaptured(): Promise<string | undefined> {
    const rows = Int32Array.from({ length: this.#request.count }, (_, row) => row);
    const { batchSize, planning, signal, manners } = this.#request;
    const forward = (rows: Tensor) => this.#forward(rows);
    using pass = new CapturedPass(this.#model, rows, batchSize, planning, forward);
    if (pass.notCaptured !== undefined) {
      foldingOf('predict', this.#options, pass.notCaptured);
      return pass.notCaptured;
    }
    this.#done = await pass.run(
      signal,
      (first, _, { probabilities, classes }) => {
        this.#probabilities.set(probabilities, first * this.#classCount);
        this.#classes.set(classes, first);
      },
      manners,
    );
    return undefined;
  }

  /** One batch, eagerly; true if there are more. */
  readonly #batch = (): boolean => {
    const first = this.#done;
    const { batchSize, count } = this.#request;
    const length = Math.min(batchSize, count - first);
    tensorScope(() => {
      const { probabilities, classes } = this.#forward(
        tensor(Int32Array.from({ length }, (_, i) => first + i)),
      );
      this.#probabilities.set(probabilities.data(), first * this.#classCount);
      this.#classes.set(classes.data(), first);
    });
    this.#done += length;
    return this.#done < count;
  };

  async runInSlices(): Promise<void> {
    await inSlices(this.#model, false, () => noGrad(this.#batch), this.#request.signal);
  }

  runAtOnce(): void {
    inMode(this.#model, false, () => {
      while (noGrad(this.#batch));
    });
  }

  /** Throws ERR_ABORTED where images are left. */
  result(captured: boolean, notCaptured: string | undefined): Prediction {
    const { count, signal } = this.#request;
    if (this.#done < count) throw abortedPrediction(signal);
    return {
      probabilities: this.#probabilities,
      shape: [count, this.#classCount],
      classes: this.#classes,
      captured,
      notCaptured,
    };
  }

  [Symbol.dispose](): void {
    this.#owned?.dispose();
  }
}
