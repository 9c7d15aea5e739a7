// SPDX-License-Identifier: Apache-2.0
// Reads the golden files that test/golden/make_golden.py made with PyTorch, and turns its layouts into ours. The
// permutation is written out here once more, so that a mistake of lib/io cannot hide itself.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeSafetensors, type StoredTensor } from '../../lib/io/safetensors.js';

export const goldenPath = (name: string) => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));

export interface Golden<Cases> {
  readonly cases: Cases;
  /** The tensor of this name, as the file has it. Throws where there is none. */
  at(name: string): StoredTensor;
  /** The tensor of this name with the second of its four dimensions moved to the end. */
  channelsLastAt(name: string): StoredTensor;
  names(prefix: string): string[];
}

export function readGolden<Cases>(name: string): Golden<Cases> {
  const { tensors, metadata } = decodeSafetensors(readFileSync(goldenPath(name)), name);
  const at = (key: string) => {
    const stored = tensors.get(key);
    if (stored === undefined) throw new Error(`${name} has no ${key}`);
    return stored;
  };
  return {
    cases: JSON.parse(metadata.get('golden') ?? '{}').cases,
    at,
    channelsLastAt: (key) => channelsLast(at(key)),
    names: (prefix) => [...tensors.keys()].filter((key) => key.startsWith(prefix)),
  };
}

/** [a, c, h, w] as [a, h, w, c]; other ranks as they are. */
export function channelsLast({ shape, data }: StoredTensor): StoredTensor {
  if (shape.length !== 4) return { shape, data };
  const [a, c, h, w] = shape;
  const moved = data.slice();
  let to = 0;
  for (let i = 0; i < a; i++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++)
        for (let k = 0; k < c; k++) moved[to++] = data[((i * c + k) * h + y) * w + x];
  return { shape: [a, h, w, c], data: moved };
}

/** Throws where the largest difference exceeds `tolerance` times the largest magnitude expected. */
export function expectRelative(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements instead of ${expected.length}`);
  }
  let magnitude = 0;
  for (let i = 0; i < expected.length; i++) magnitude = Math.max(magnitude, Math.abs(expected[i]));
  for (let i = 0; i < expected.length; i++) {
    if (Math.abs(actual[i] - expected[i]) <= tolerance * magnitude) continue; // false for NaN
    throw new Error(
      `${what}: element ${i} is ${actual[i]} instead of ${expected[i]}, magnitude ${magnitude}`,
    );
  }
}
