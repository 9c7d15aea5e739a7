// SPDX-License-Identifier: Apache-2.0
// The instructions that change images at random, and those that read them from a file: rows of instructions, since images are
// data, which have no gradient and are not kept. test/data/augment.test.ts compares them with numpy and scikit-image.
import { fstatSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output, Random } from '../native.js';
import type { InstructionCall, InstructionRow } from './instructions.js';

const UNIT = 2 ** -24;
const [N, H, W, C] = [14, 26, 24, 3]; // several tasks
const SIZE = N * H * W * C;
const floats = (size: number): Output => ({ kind: 'float32', size });
/** Seed in two words, stream, epoch. */
const KEY = [123, 45, 16, 3];
const FILL = [-0.5, 0.25, 0.125];

const change =
  (...numbers: readonly number[]) =>
  (random: Random): InstructionCall => ({
    outputs: [floats(SIZE)],
    inputs: [random.floats(SIZE), random.ints(N, 0, 2 ** 31 - 1)],
    numbers: [N, H, W, C, ...KEY, ...numbers],
  });

const copies = (_: number, value: number) => UNIT * Math.abs(value);

/** Images of 12 bytes behind a header of 5, as open as long as the test runs: numbers of an `ImagePlace`. */
let place: number[] | undefined;
function imageFile(): number[] {
  if (place !== undefined) return place;
  const folder = mkdtempSync(join(tmpdir(), 'receptive-op-table-'));
  const path = join(folder, 'images');
  writeFileSync(
    path,
    Uint8Array.from({ length: 5 + 40 * 12 }, (_, i) => (i * 37) % 256),
  );
  const descriptor = openSync(path, 'r');
  rmSync(folder, { recursive: true }); // what is open stays readable
  const { size, mtimeNs } = fstatSync(descriptor, { bigint: true });
  const [seconds, nanoseconds] = [mtimeNs / 1_000_000_000n, mtimeNs % 1_000_000_000n];
  place = [descriptor, 5, 40, ...[size, seconds, nanoseconds].map(Number)];
  return place;
}

export const augmentationRows: readonly InstructionRow[] = [
  { instruction: 'flip_images', call: change(0.5, 0, 0), bound: copies },
  { instruction: 'crop_images', call: change(5, 0, ...FILL), bound: copies },
  { instruction: 'cut_out', call: change(7, 0.8, ...FILL), bound: copies },
  {
    // Places are doubles in both; fractions of pixels are rounded, between values 2 apart.
    instruction: 'warp_affine',
    call: change(0.5, 0.1, 0.1, 0.8, 1.25, 0.2, 0.2, 1, ...FILL),
    bound: () => 16 * UNIT,
  },
  {
    // Sums of 25 terms each way, times 5: what they are off by moves a place, and values are up to 2 a pixel apart.
    instruction: 'warp_elastic',
    call: change(5, 4, 2, ...FILL),
    bound: () => 5 * 2 * 64 * UNIT,
  },
  {
    instruction: 'jitter_colours',
    call: change(0.3, 0.4, 0.5, 0.2, 0.5, 0.4, 0.6, 0.25, 0.3, 0.2),
    bound: () => 128 * UNIT, // a dozen roundings of numbers up to 2, divided by deviations from 0.2 on
  },
  {
    // Bytes in both, then the same numbers.
    instruction: 'rand_augment',
    call: change(3, 12, 0.5, 0.4, 0.6, 0.25, 0.3, 0.2),
    bound: copies,
  },
  { instruction: 'mix_images', call: change(0, 0.7, 1), bound: () => 4 * UNIT },
  {
    instruction: 'mix_labels',
    call: (random) => ({
      outputs: [floats(N * 10)],
      inputs: [random.ints(N, 0, 9), random.ints(N, 0, 2 ** 31 - 1)],
      numbers: [N, H, W, C, ...KEY, 1, 0.7, 0.9, 10],
    }),
    bound: copies,
  },
  {
    instruction: 'gather_file',
    call: (random) => ({
      outputs: [floats(3000 * 12)],
      inputs: [random.ints(3000, 0, 39)],
      numbers: [3000, 12, 3, 0.5, 0.4, 0.3, 4, 5, 2, ...imageFile()],
    }),
    bound: () => 4 * 5 * UNIT, // four roundings of numbers up to 1, times 5
  },
];
