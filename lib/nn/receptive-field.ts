// SPDX-License-Identifier: Apache-2.0
// Receptive fields, by the arithmetic of Araujo, Norris and Sim, "Computing receptive fields of convolutional neural
// networks" (Distill, 2019), along the recorded graph: whatever a model is made of, its operations know what they see.
import type { GradNode, Reach } from '../autograd/node.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * The part of the image that one output depends on, in pixels, [height, width]: how large it is, how far the parts of two
 * neighbouring outputs are apart, and how far that of the first begins outside of the image.
 */
export interface ReceptiveField {
  readonly size: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

/** Along one axis: pixels start to start + size - 1 for the first of so many positions. */
interface Extent {
  readonly start: number;
  readonly size: number;
  readonly stride: number;
  readonly positions: number;
}

type Extents = readonly [height: Extent, width: Extent];

/** Height and width of a feature map; a sequence has height 1, a vector neither. */
function sidesOf(shape: Shape): readonly [number, number] | undefined {
  if (shape.length === 4) return [shape[1], shape[2]];
  return shape.length === 3 ? [1, shape[1]] : undefined;
}

/** What all positions together see. */
function whole({ start, size, stride, positions }: Extent): Extent {
  return { start, size: size + (positions - 1) * stride, stride: stride * positions, positions: 1 };
}

/** What one of two paths or the other sees. */
function union(a: Extent, b: Extent): Extent {
  const fits = a.stride === b.stride && a.positions === b.positions;
  const [first, second] = fits ? [a, b] : [whole(a), whole(b)];
  const start = Math.min(first.start, second.start);
  const end = Math.max(first.start + first.size, second.start + second.size);
  return { ...first, start, size: end - start };
}

function through(extent: Extent, kernel: number, stride: number, pad: number, positions: number): Extent {
  return {
    start: extent.start - pad * extent.stride,
    size: extent.size + (kernel - 1) * extent.stride,
    stride: extent.stride * stride,
    positions,
  };
}

/** Receptive fields of what was computed from one image. */
export class ReceptiveFields {
  readonly #image: Tensor;
  /** Null: not known. */
  readonly #known = new Map<GradNode, Extents | null | undefined>();

  /** @param image [1, h, w, c] or [1, l, c], with requiresGrad */
  constructor(image: Tensor) {
    this.#image = image;
  }

  /** Null for what does not depend on the image, or in a way that is not known. */
  of(tensor: Tensor): ReceptiveField | null {
    const [h, w] = this.#extentsOf(tensor) ?? [];
    if (h === undefined || w === undefined) return null;
    return {
      size: [h.size, w.size],
      stride: [h.stride, w.stride],
      padding: [0 - h.start, 0 - w.start],
    };
  }

  /** Undefined for what does not depend on the image. */
  #extentsOf(tensor: Tensor): Extents | null | undefined {
    const { node } = tensor;
    if (node === null) return tensor === this.#image ? this.#imageExtents() : undefined;
    if (!this.#known.has(node)) this.#known.set(node, this.#compute(node, tensor.shape));
    return this.#known.get(node);
  }

  #imageExtents(): Extents | null {
    const sides = sidesOf(this.#image.shape);
    if (sides === undefined) return null;
    const pixel = { start: 0, size: 1, stride: 1 };
    return [
      { ...pixel, positions: sides[0] },
      { ...pixel, positions: sides[1] },
    ];
  }

  #compute(node: GradNode, shape: Shape): Extents | null | undefined {
    let joined: Extents | undefined;
    for (const input of node.inputs) {
      const extents = this.#extentsOf(input);
      if (extents === null) return null;
      if (extents === undefined) continue;
      joined = joined === undefined ? extents : [union(joined[0], extents[0]), union(joined[1], extents[1])];
    }
    return joined && seen(joined, node.reach, sidesOf(shape));
  }
}

/** What an operation makes of what its inputs see. Null where it changes the size of an image and does not say how. */
function seen(
  [h, w]: Extents,
  reach: Reach | undefined,
  sides: readonly [number, number] | undefined,
): Extents | null {
  if (reach === 'unknown') return null;
  if (reach === 'all') return [whole(h), whole(w)];
  if (reach === undefined) {
    const same = sides === undefined || (sides[0] === h.positions && sides[1] === w.positions);
    return same ? [h, w] : null;
  }
  const { kernelH, kernelW, strideH, strideW, padTop, padLeft } = reach;
  const [outH, outW] = sides ?? [1, 1];
  return [through(h, kernelH, strideH, padTop, outH), through(w, kernelW, strideW, padLeft, outW)];
}
