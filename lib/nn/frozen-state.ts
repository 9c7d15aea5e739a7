// SPDX-License-Identifier: Apache-2.0
// The weights and buffers of a module at one moment, and a way to compute with them: they take the places of the module's own
// for the length of a call. That works for every module that keeps its tensors in slots, whatever else it holds.
import { checkAtRest, emit } from '../native/bindings.js';
import { copyBetweenSteps } from '../native/step-copies.js';
import type { Tensor } from '../tensor/tensor.js';
import { Buffer } from './buffer.js';
import type { Slot } from './module.js';
import { Parameter } from './parameter.js';

/** Where a module keeps a tensor, and the copy that takes its place. */
interface Place {
  readonly owner: object;
  readonly key: string;
  readonly copy: Parameter | Buffer;
}

/** Copies of all tensors of a module. */
export class FrozenState {
  /** By name, in the order of the module's state dict. */
  readonly tensors: ReadonlyMap<string, Parameter | Buffer>;
  readonly #places: readonly Place[];

  private constructor(tensors: ReadonlyMap<string, Parameter | Buffer>, places: readonly Place[]) {
    this.tensors = tensors;
    this.#places = places;
  }

  /**
   * Copies what is in the slots; a replay that writes it is between two steps then.
   *
   * Throws ERR_DISPOSED for a tensor that was disposed, ERR_OUT_OF_MEMORY.
   */
  static async copy(slots: readonly Slot[], state: ReadonlyMap<string, Tensor>): Promise<FrozenState> {
    return FrozenState.#of(slots, state, await copyAll([...state.values()].filter(isOfModule)));
  }

  /** The same now. Throws ERR_BUSY while a running plan writes what is in the slots. */
  static now(slots: readonly Slot[], state: ReadonlyMap<string, Tensor>): FrozenState {
    checkAtRest('copy', state.values());
    const copies = emptyCopies([...state.values()].filter(isOfModule));
    for (const [original, copy] of copies) emit('copy', [copy.handle, (original as Tensor).handle]);
    return FrozenState.#of(slots, state, copies);
  }

  static #of(
    slots: readonly Slot[],
    state: ReadonlyMap<string, Tensor>,
    copies: ReadonlyMap<unknown, Parameter | Buffer>,
  ): FrozenState {
    const tensors = [...state].flatMap(([name, tensor]) => {
      const copy = copies.get(tensor);
      return copy === undefined ? [] : [[name, copy] as const];
    });
    const places = slots.flatMap(({ owner, key, value }) => {
      const copy = isOfModule(value) ? copies.get(value) : undefined;
      return copy === undefined ? [] : [{ owner, key, copy }];
    });
    return new FrozenState(new Map(tensors), places);
  }

  /** Another copy of the same values. */
  async copy(): Promise<FrozenState> {
    const copies = await copyAll([...this.tensors.values()]);
    const again = (tensor: Parameter | Buffer) => copies.get(tensor) ?? tensor;
    const tensors = [...this.tensors].map(([name, tensor]) => [name, again(tensor)] as const);
    return new FrozenState(
      new Map(tensors),
      this.#places.map((place) => ({ ...place, copy: again(place.copy) })),
    );
  }

  /** Runs `body`, which must not wait for anything, with the copies in the places of the module's own tensors. */
  inPlace<T>(body: () => T): T {
    const before = this.#places.map(({ owner, key }): unknown => Reflect.get(owner, key));
    try {
      for (const { owner, key, copy } of this.#places) Reflect.set(owner, key, copy);
      return body();
    } finally {
      this.#places.forEach(({ owner, key }, i) => {
        Reflect.set(owner, key, before[i]);
      });
    }
  }

  /** The copies as a module's own slots. */
  slots(): Slot[] {
    return [...this.tensors].map(([name, value]) => ({ owner: this.tensors, key: name, name, value }));
  }
}

function isOfModule(value: unknown): value is Parameter | Buffer {
  return value instanceof Parameter || value instanceof Buffer;
}

/** Copies, all of one moment; none where one fails. */
async function copyAll(
  originals: readonly (Parameter | Buffer)[],
): Promise<Map<unknown, Parameter | Buffer>> {
  const copies = emptyCopies(originals);
  try {
    await copyBetweenSteps([...copies].map(([from, to]) => [(from as Tensor).handle, to.handle]));
    return copies;
  } catch (error) {
    for (const copy of copies.values()) copy.dispose();
    throw error;
  }
}

/** A tensor for the copy of each; none where there is no memory for one of them. */
function emptyCopies(originals: readonly (Parameter | Buffer)[]): Map<unknown, Parameter | Buffer> {
  const copies = new Map<unknown, Parameter | Buffer>();
  try {
    for (const original of originals) {
      void original.handle; // refuses one that was disposed
      copies.set(original, emptyLike(original));
    }
    return copies;
  } catch (error) {
    for (const copy of copies.values()) copy.dispose();
    throw error;
  }
}

function emptyLike(original: Parameter | Buffer): Parameter | Buffer {
  const { shape, dtype } = original;
  if (original instanceof Buffer) return new Buffer(shape, { dtype });
  const copy = new Parameter(shape, dtype === 'float64' ? 'float64' : 'float32');
  copy.requiresGrad = false;
  return copy;
}
