// SPDX-License-Identifier: Apache-2.0
// Predictions with weights that stand still while the model goes on learning, until others are published.
import { fail } from '../errors.js';
import { checkModel } from '../nn/check-model.js';
import type { Module, Snapshot } from '../nn/module.js';
import type { Tensor } from '../tensor/tensor.js';
import { KeptPasses } from './kept-passes.js';
import { type Prediction, type PredictOptions, predict, predictSync } from './predict.js';
import { predictionRequest } from './prediction-request.js';

/** Weights that predictions use, and how many of them do. */
interface Edition {
  readonly snapshot: Snapshot;
  readonly passes: KeptPasses;
  readonly version: number;
  uses: number;
  isCurrent: boolean;
}

/** What a server thinks of some images, and with which weights. */
export interface ServedPrediction extends Prediction {
  /** The `version` of the weights that all of these images were seen with. */
  readonly version: number;
}

/**
 * Serves predictions of a model. `publish` puts other weights in the place of those in use: a prediction that is under way
 * keeps its own to its end, the next one uses the new ones; none ever sees a part of both.
 */
export class Serving {
  readonly #model: Module;
  #edition: Edition;
  #publishing: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  /** @internal Use `serve`. */
  constructor(model: Module, snapshot: Snapshot) {
    this.#model = model;
    this.#edition = editionOf(snapshot, 1);
  }

  /** Which weights are in use: 1 at first, one more after each `publish`. */
  get version(): number {
    return this.#edition.version;
  }

  /** The weights in use as a module, for `saveWeights`, `evaluate` and the like. It lives until the next `publish`. */
  get snapshot(): Snapshot {
    return this.#live('snapshot').snapshot;
  }

  /**
   * Class probabilities of images, all with the same weights; arguments and errors are those of the free function `predict`.
   * The forward pass is recorded for the first images of a shape and batch and kept for those that follow: what `forward`
   * decides, and which layers there are, holds until the next `publish`. What takes less than 0.1 ms is done on this thread.
   * Throws ERR_DISPOSED after `dispose`.
   */
  async predict(
    images: Uint8Array | Float32Array | Tensor,
    options: PredictOptions = {},
  ): Promise<ServedPrediction> {
    const edition = this.#live('predict');
    const { snapshot, passes, version } = edition;
    edition.uses += 1;
    try {
      const request = predictionRequest(snapshot, images, options, notRecorded(options));
      const kept = options.capture === false ? undefined : await passes.predict(request);
      return withVersion(kept ?? (await predict(snapshot, images, options)), version);
    } finally {
      edition.uses -= 1;
      freeIfUnused(edition);
    }
  }

  /** `predict` on this thread, holding the event loop until all is done: the same numbers, and the same errors, thrown. */
  predictSync(images: Uint8Array | Float32Array | Tensor, options: PredictOptions = {}): ServedPrediction {
    const { snapshot, passes, version } = this.#live('predictSync');
    const request = predictionRequest(snapshot, images, options, notRecorded(options));
    const kept = options.capture === false ? undefined : passes.predictSync(request);
    return withVersion(kept ?? predictSync(snapshot, images, options), version);
  }

  /**
   * Puts weights in the place of those in use.
   *
   * @param model whose weights of now, as `snapshot` copies them; default: the model that is served. It may be another one.
   * @returns the new `version`
   *
   * Calls take effect in their order. Throws what `snapshot` throws, and ERR_DISPOSED after `dispose`; the weights in use
   * stay then.
   */
  publish(model: Module = this.#model): Promise<number> {
    const published = this.#publishing.then(() => this.#publishNow(model));
    this.#publishing = published.catch(() => {}); // one that fails does not hold up the next
    return published;
  }

  async #publishNow(model: Module): Promise<number> {
    this.#live('publish');
    const snapshot = await model.snapshot();
    if (this.#isDisposed) snapshot.dispose();
    const before = this.#live('publish');
    this.#edition = editionOf(snapshot, before.version + 1);
    before.isCurrent = false;
    freeIfUnused(before);
    return this.#edition.version;
  }

  #live(op: string): Edition {
    if (!this.#isDisposed) return this.#edition;
    throw fail('ERR_DISPOSED', {
      op,
      expected: 'a serving that is alive',
      received: 'one that was disposed',
    });
  }

  /** Frees the weights in use, when the predictions under way are through. The model stays. */
  dispose(): void {
    this.#isDisposed = true;
    this.#edition.isCurrent = false;
    freeIfUnused(this.#edition);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function editionOf(snapshot: Snapshot, version: number): Edition {
  return { snapshot, passes: new KeptPasses(snapshot), version, uses: 0, isCurrent: true };
}

function freeIfUnused({ snapshot, passes, uses, isCurrent }: Edition): void {
  if (isCurrent || uses > 0) return;
  passes.dispose();
  snapshot.dispose();
}

/** Why a pass is not recorded, where that is asked for. */
function notRecorded({ capture }: PredictOptions): string | undefined {
  return capture === false ? 'capture: false' : undefined;
}

function withVersion(prediction: Prediction, version: number): ServedPrediction {
  return { ...prediction, version };
}

/**
 * Takes a model into service with its weights of now; the model may go on learning.
 *
 * ```js
 * const serving = await serve(model);
 * const training = fit(model, train, { priority: 'background', onEpoch: () => serving.publish() });
 * const { classes } = await serving.predict(images);
 * ```
 *
 * Throws what `model.snapshot()` throws.
 */
export async function serve(model: Module): Promise<Serving> {
  checkModel('serve', model);
  return new Serving(model, await model.snapshot());
}
