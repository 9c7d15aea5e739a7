// SPDX-License-Identifier: Apache-2.0
// The inputs of a step, all of them or those of some of its samples.
import type { DataLoader } from '../data/loader.js';
import { fail } from '../errors.js';
import { emit } from '../native/bindings.js';
import { Tensor } from '../tensor/tensor.js';

/** Inputs by name; the first dimension of each counts samples. */
export type Inputs = Readonly<Record<string, Tensor>>;

/** Gives the inputs of samples `first` to `end` - 1; of all of them by default. */
export type BatchRows = (first?: number, end?: number) => Inputs;

/** Inputs that are there as they are. */
export function givenRows(inputs: Inputs): BatchRows {
  return (first, end) =>
    Object.fromEntries(Object.entries(inputs).map(([name, tensor]) => [name, rowsOf(tensor, first, end)]));
}

/** Inputs out of a loader's data set: only those of the samples asked for are gathered. */
export function gatheredRows(loader: DataLoader, indices: Tensor, names = NAMES): BatchRows {
  return (first, end) => {
    const some = rowsOf(indices, first, end);
    const inputs: Record<string, Tensor> = {};
    if (names.includes('labels')) {
      inputs.labels = loader.labelsAt(some);
      const targets = loader.targetsAt(some);
      if (targets !== undefined && some !== indices) throw dividedMix();
      if (targets !== undefined) inputs.targets = targets;
    }
    if (names.includes('images')) inputs.images = loader.imagesAt(some);
    return inputs;
  };
}

/** Images are mixed with others of their batch, which a part of it does not have. */
export function dividedMix() {
  return fail('ERR_ARGUMENT', {
    op: 'augment',
    expected: 'mixup and cutmix without microBatches',
    received: 'both',
  });
}

const NAMES: readonly string[] = ['images', 'labels'];

/** Rows `first` to `end` - 1, copied; the tensor itself where those are all. */
export function rowsOf(tensor: Tensor, first = 0, end = tensor.shape[0]): Tensor {
  const [rows, ...shape] = tensor.shape;
  if (first === 0 && end === rows) return tensor;
  const rowSize = tensor.size / rows;
  const some = Tensor.empty([end - first, ...shape], tensor.dtype);
  copyElements({ tensor: some, first: 0 }, { tensor, first: first * rowSize }, some.size);
  return some;
}

interface Place {
  readonly tensor: Tensor;
  readonly first: number;
}

/** Copies elements that lie one after another in both tensors. */
export function copyElements(to: Place, from: Place, count: number): void {
  const numbers = [1, count, to.tensor.size, to.first, from.tensor.size, from.first];
  emit('copy_columns', [to.tensor.handle, from.tensor.handle], numbers);
}
