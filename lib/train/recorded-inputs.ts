// SPDX-License-Identifier: Apache-2.0
// One step recorded for each way in which its inputs come: given as they are, or gathered from a data set inside the step,
// for full batches and for the last one of an epoch.
import type { DataLoader } from '../data/loader.js';
import { fail } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';
import { gatherImages, gatherLabels } from '../ops/gather.js';
import { type Shape, sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type CapturedStep, capturePlan, type StepFunction, type StreamSpecs } from './plan.js';

/** The inputs that a loader's full batches give. */
export function loaderSpecs(loader: DataLoader): StreamSpecs {
  const { batchSize, dataset } = loader;
  return {
    images: { shape: [batchSize, ...dataset.imageShape], dtype: 'float32' },
    labels: { shape: [batchSize], dtype: 'int32' },
  };
}

/** Records a step when inputs first come in some way. */
export class RecordedInputs {
  readonly specs: StreamSpecs;
  readonly #step: StepFunction;
  readonly #loader: DataLoader | undefined;
  readonly #planning: PlanOptions;
  #given: CapturedStep | undefined;
  #gathering: { readonly loader: DataLoader; readonly plans: Map<number, CapturedStep> } | undefined;

  /** @param loader gives the inputs that the step is recorded for first; without one they are given as they are */
  constructor(step: StepFunction, specs: StreamSpecs, loader: DataLoader | undefined, planning: PlanOptions) {
    this.#step = step;
    this.#planning = planning;
    this.specs = specs;
    this.#loader = loader;
    void this.main; // what cannot be recorded is refused now
  }

  /** The step as it was recorded first. */
  get main(): CapturedStep {
    return this.#loader === undefined ? this.given : this.#planFor(this.#loader, this.#loader.batchSize);
  }

  /** The step with all its inputs from outside. */
  get given(): CapturedStep {
    this.#given ??= capturePlan(this.#step, this.specs, [], this.#planning);
    return this.#given;
  }

  /** The step that gathers its inputs from this loader's data set, by number of images. */
  gatheringFrom(loader: DataLoader): (batch: number) => CapturedStep {
    const offered = loaderSpecs(loader);
    for (const [name, { shape, dtype }] of Object.entries(this.specs)) {
      const offer = offered[name];
      if (offer?.dtype === dtype && sameShape(offer.shape, shape)) continue;
      throw fail(offer === undefined || sameShape(offer.shape, shape) ? 'ERR_DTYPE' : 'ERR_SHAPE', {
        op: 'plan',
        expected: `input ${name}: ${dtype} [${shape.join(', ')}]`,
        received: offer === undefined ? 'a loader, which gives images and labels' : describeSpec(offer),
      });
    }
    const last = loader.dropLast ? 0 : loader.dataset.length % loader.batchSize;
    if (last > 0) this.#planFor(loader, last);
    return (batch) => this.#planFor(loader, batch);
  }

  #planFor(loader: DataLoader, batch: number): CapturedStep {
    if (this.#gathering?.loader !== loader) {
      this.#disposeGathering();
      this.#gathering = { loader, plans: new Map() };
    }
    const { plans } = this.#gathering;
    const known = plans.get(batch);
    if (known !== undefined) return known;
    const step: StepFunction = ({ indices }) => this.#step(this.#gather(loader, indices));
    const plan = capturePlan(step, { indices: { shape: [batch], dtype: 'int32' } }, [], this.#planning);
    plans.set(batch, plan);
    return plan;
  }

  #gather({ native, dataset }: DataLoader, indices: Tensor): Record<string, Tensor> {
    const inputs: Record<string, Tensor> = {};
    if (this.specs.images) {
      inputs.images = gatherImages(native.images, indices, dataset.normalization);
    }
    if (this.specs.labels) inputs.labels = gatherLabels(native.labels, indices);
    return inputs;
  }

  #disposeGathering(): void {
    for (const plan of this.#gathering?.plans.values() ?? []) plan.dispose();
    this.#gathering = undefined;
  }

  dispose(): void {
    this.#disposeGathering();
    this.#given?.dispose();
    this.#given = undefined;
  }
}

function describeSpec({ shape, dtype }: { readonly shape: Shape; readonly dtype: string }): string {
  return `${dtype} [${shape.join(', ')}]`;
}
