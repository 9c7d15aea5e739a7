// SPDX-License-Identifier: Apache-2.0
// One step recorded for each way in which its inputs come: given as they are, or gathered from a data set inside the step,
// for full batches and for the last one of an epoch.
import type { DataLoader } from '../data/loader.js';
import { fail } from '../errors.js';
import type { PlanOptions } from '../native/addon.js';
import { BatchParts } from '../ops/batch-part.js';
import { tensor } from '../tensor/create.js';
import { type Shape, sameShape } from '../tensor/shape.js';
import { type BatchRows, gatheredRows, givenRows, type Inputs } from './batch-rows.js';
import { type MicroBatches, recordDivided } from './micro-batches.js';
import { type CapturedStep, capturePlan, type StepFunction, type StreamSpecs } from './plan.js';
import type { BatchArrays } from './sources.js';

/** The inputs that a loader's full batches give. */
export function loaderSpecs(loader: DataLoader): StreamSpecs {
  const { batchSize, dataset } = loader;
  return {
    images: { shape: [batchSize, ...dataset.imageShape], dtype: 'float32' },
    labels: { shape: [batchSize], dtype: 'int32' },
  };
}

/** A step over the samples of a batch, of which it may take `size` at a time. */
export type DividedStepFunction = (
  rows: BatchRows,
  samples: number,
  size: number,
  parts: BatchParts,
) => ReturnType<StepFunction>;

/** What is recorded: a step over its inputs, or one that may be computed in so many parts. */
export type RecordedStep =
  | StepFunction
  | { readonly step: DividedStepFunction; readonly parts: number | true };

/** Records a step when inputs first come in some way. */
export class RecordedInputs {
  readonly specs: StreamSpecs;
  readonly #step: RecordedStep;
  /** Samples of a part, once the main step has been divided. */
  #partSize: number | undefined;
  readonly #loader: DataLoader | undefined;
  readonly #planning: PlanOptions;
  #given: CapturedStep | undefined;
  #gathering: { readonly loader: DataLoader; readonly plans: Map<number, CapturedStep> } | undefined;

  /** @param loader gives the inputs that the step is recorded for first; without one they are given as they are */
  constructor(step: RecordedStep, specs: StreamSpecs, loader: DataLoader | undefined, planning: PlanOptions) {
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

  /** Into how many parts the main step divides its batch, and the samples of each but the last. */
  get microBatches(): MicroBatches {
    const batch = this.specs.images?.shape[0] ?? 0;
    const samples = this.#partSize ?? batch;
    return { parts: samples === batch ? 1 : Math.ceil(batch / samples), samples };
  }

  /** The step with all its inputs from outside. */
  get given(): CapturedStep {
    this.#given ??= this.#record(this.specs, this.specs.images?.shape[0] ?? 0, givenRows);
    return this.#given;
  }

  /** The inputs of one step that `plan` replays, as tensors, from its slices of the streams. */
  inputsOf(plan: CapturedStep, slices: BatchArrays): Inputs {
    if (plan !== this.#given && this.#gathering !== undefined) {
      return gatheredRows(this.#gathering.loader, tensor(slices.indices), Object.keys(this.specs))();
    }
    return Object.fromEntries(
      Object.entries(this.specs).map(([name, { shape }]) => [name, tensor(slices[name], shape)]),
    );
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
    const names = Object.keys(this.specs);
    const specs: StreamSpecs = { indices: { shape: [batch], dtype: 'int32' } };
    const plan = this.#record(specs, batch, ({ indices }) => gatheredRows(loader, indices, names));
    plans.set(batch, plan);
    return plan;
  }

  /** Records the step over the inputs that `rowsOf` finds in the streams. */
  #record(specs: StreamSpecs, samples: number, rowsOf: (streams: Inputs) => BatchRows): CapturedStep {
    const step = this.#step;
    const planning = this.#planning;
    if (typeof step === 'function') {
      return capturePlan((streams) => step(rowsOf(streams)()), specs, [], planning);
    }
    const record = (size: number, parts: BatchParts, options: PlanOptions) =>
      capturePlan((streams) => step.step(rowsOf(streams), samples, size, parts), specs, [], options);
    if (this.#partSize !== undefined) return record(this.#partSize, new BatchParts(), planning);
    const divided = recordDivided(samples, step.parts, planning, record);
    this.#partSize = divided.size;
    return divided.plan;
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
