// SPDX-License-Identifier: Apache-2.0
// Predictions with weights that stay as they are: the forward pass is recorded for the first images of a kind, and kept for those
// that follow.
import { noGrad } from '../autograd/grad-mode.js';
import { ReceptiveError } from '../errors.js';
import type { TypedArray } from '../native/bindings.js';
import type { Module } from '../nn/module.js';
import { argmax } from '../ops/classify.js';
import { gatherImages } from '../ops/gather.js';
import { softmax } from '../ops/softmax.js';
import { tensor } from '../tensor/create.js';
import { Tensor } from '../tensor/tensor.js';
import { classesOf } from './fits.js';
import { type CapturedStep, capturePlan, type PlanRunOptions, type PlanRunResult } from './plan.js';
import type { Prediction } from './predict.js';
import { abortedPrediction, noNormalization, type PredictionRequest } from './prediction-request.js';
import { inMode } from './slices.js';
import { callOnViews } from './tta.js';

/** Passes that are kept while nobody uses them: each holds the memory of its activations. */
const MOST_IDLE = 4;

/** A recorded forward pass over a batch, and for which requests it may be used. */
interface Pass {
  readonly key: string;
  readonly batch: number;
  readonly plan: CapturedStep;
}

/** Images first to end - 1 of a request. */
interface Part {
  readonly first: number;
  readonly end: number;
  readonly batch: number;
}

/** The recorded forward passes of a model whose weights, layers and `forward` do not change any more. */
export class KeptPasses {
  readonly #model: Module;
  readonly #classCounts = new Map<string, number>();
  /** The one that was used last at the end. */
  readonly #idle: Pass[] = [];
  /** Why the model cannot be recorded, where it was tried. */
  notCaptured: string | undefined;
  #isDisposed = false;

  constructor(model: Module) {
    this.#model = model;
  }

  /**
   * What `predict` gives for the request, if the model can be recorded; otherwise undefined, and `notCaptured` says why. Calls
   * may overlap: each has a pass of its own.
   */
  async predict(request: PredictionRequest): Promise<Prediction | undefined> {
    const made = this.#begin(request, true);
    if (made === undefined) return undefined;
    for (const part of partsOf(request)) {
      if (request.signal?.aborted === true) break;
      const pass = this.#take(request, part.batch);
      if (pass === undefined) return undefined;
      try {
        made.add(part, await pass.plan.run(made.optionsOf(part)));
      } finally {
        this.#give(pass);
      }
    }
    return made.whole();
  }

  /** The same at once, on this thread. */
  predictSync(request: PredictionRequest): Prediction | undefined {
    const made = this.#begin(request, false);
    if (made === undefined) return undefined;
    for (const part of partsOf(request)) {
      if (request.signal?.aborted === true) break;
      const pass = this.#take(request, part.batch);
      if (pass === undefined) return undefined;
      try {
        made.add(part, pass.plan.runSync(made.optionsOf(part)));
      } finally {
        this.#give(pass);
      }
    }
    return made.whole();
  }

  #begin(request: PredictionRequest, copies: boolean): InTheMaking | undefined {
    if (this.notCaptured !== undefined) return undefined;
    const key = request.imageShape.join();
    const classCount = this.#classCounts.get(key) ?? classesOf('predict', this.#model, request.imageShape);
    this.#classCounts.set(key, classCount);
    return new InTheMaking(request, classCount, copies);
  }

  #take(request: PredictionRequest, batch: number): Pass | undefined {
    const { imageShape, dtype, normalization, planning, tta } = request;
    const { mean, std } = normalization ?? {};
    const key = [batch, imageShape, dtype, mean, std, planning.fold, tta].join(';');
    const index = this.#idle.map((pass) => pass.key).lastIndexOf(key);
    if (index >= 0) return this.#idle.splice(index, 1)[0];
    const streams = { images: { shape: [batch, ...imageShape], dtype } } as const;
    const record = () => capturePlan(({ images }) => this.#forward(images, request), streams, [], planning);
    try {
      return { key, batch, plan: inMode(this.#model, false, () => noGrad(record)) };
    } catch (error) {
      if (!(error instanceof ReceptiveError) || error.code !== 'ERR_CAPTURE') throw error;
      this.notCaptured = error.message;
      return undefined;
    }
  }

  #forward(images: Tensor, { dtype, normalization, imageShape, tta }: PredictionRequest) {
    const isReady = dtype === 'float32' && normalization === undefined;
    const rows = () => tensor(Int32Array.from({ length: images.shape[0] }, (_, row) => row));
    const ready = isReady
      ? images
      : gatherImages(images, rows(), normalization ?? noNormalization(imageShape[2]));
    const logits = callOnViews(this.#model, ready, tta);
    return { probabilities: softmax(logits), classes: argmax(logits) };
  }

  #give(pass: Pass): void {
    this.#idle.push(pass);
    const most = this.#isDisposed ? 0 : MOST_IDLE;
    while (this.#idle.length > most) this.#idle.shift()?.plan.dispose();
  }

  /** Frees what was recorded; passes in use, when they are through. */
  dispose(): void {
    this.#isDisposed = true;
    for (const { plan } of this.#idle.splice(0)) plan.dispose();
  }
}

/** Full batches, and the last one where it is shorter. */
function partsOf({ count, batchSize }: PredictionRequest): Part[] {
  const full = count - (count % batchSize);
  return [
    { first: 0, end: full, batch: batchSize },
    { first: full, end: count, batch: count - full },
  ].filter(({ first, end }) => end > first);
}

/** A prediction in the making. */
class InTheMaking {
  readonly #request: PredictionRequest;
  readonly #values: TypedArray;
  readonly #classCount: number;
  readonly #probabilities: Float32Array;
  readonly #classes: Int32Array;
  #done = 0;

  /** @param copies whether the images may change before they were seen */
  constructor(request: PredictionRequest, classCount: number, copies: boolean) {
    const { images, count } = request;
    this.#request = request;
    this.#values = images instanceof Tensor ? images.data() : copies ? images.slice() : images;
    this.#classCount = classCount;
    this.#probabilities = new Float32Array(count * classCount);
    this.#classes = new Int32Array(count);
  }

  optionsOf({ first, end, batch }: Part): PlanRunOptions {
    const { manners, signal, count } = this.#request;
    const size = this.#values.length / count;
    const images = this.#values.subarray(first * size, end * size);
    return { ...manners, steps: (end - first) / batch, streams: { images }, signal };
  }

  add({ first, batch }: Part, { steps, outputs }: PlanRunResult): void {
    this.#probabilities.set(outputs.probabilities, first * this.#classCount);
    this.#classes.set(outputs.classes, first);
    this.#done += steps * batch;
  }

  /** Throws ERR_ABORTED where images are left. */
  whole(): Prediction {
    const { count, signal } = this.#request;
    if (this.#done < count) throw abortedPrediction(signal);
    return {
      probabilities: this.#probabilities,
      shape: [count, this.#classCount],
      classes: this.#classes,
      captured: true,
      notCaptured: undefined,
    };
  }
}
