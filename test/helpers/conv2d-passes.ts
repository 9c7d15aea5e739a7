// SPDX-License-Identifier: Apache-2.0
// The three passes of a convolution, by their instructions alone, against the double-precision reference.
import { call, checkAgainstReference, type NumberArray, type Random, within } from './native.js';

/** Sizes of a convolution; dilation and groups are 1 where they are left out. */
export interface ConvSizes {
  n: number;
  h: number;
  w: number;
  inC: number;
  outC: number;
  kH: number;
  kW: number;
  sH: number;
  sW: number;
  pH: number;
  pW: number;
  dH?: number;
  dW?: number;
  groups?: number;
}

const outSize = (size: number, kernel: number, stride: number, pad: number, dilation: number) =>
  Math.floor((size + 2 * pad - (kernel - 1) * dilation - 1) / stride) + 1;

/** What the instructions of a case are told, and how many elements their operands have. */
export function sizes(c: ConvSizes) {
  const { dH = 1, dW = 1, groups = 1 } = c;
  const outH = outSize(c.h, c.kH, c.sH, c.pH, dH);
  const outW = outSize(c.w, c.kW, c.sW, c.pW, dW);
  const groupIn = c.inC / groups;
  const geometry = [c.n, c.h, c.w, c.inC, outH, outW, c.outC, c.kH, c.kW, c.sH, c.sW, c.pH, c.pW];
  return {
    /** Of native/plan/conv2d.cc, with these numbers after the sizes: ReLU, algorithm. */
    numbersWith: (relu = 0, choice = 0) => [...geometry, relu, choice, 0, 0, 0, 0, 0, 0, dH, dW, groups],
    numbers: geometry,
    x: c.n * c.h * c.w * c.inC,
    y: c.n * outH * outW * c.outC,
    weight: c.outC * c.kH * c.kW * groupIn,
    patch: c.kH * c.kW * groupIn,
    taps: c.kH * c.kW * (c.outC / groups),
    pixels: c.n * outH * outW,
  };
}

const magnitudes = (data: NumberArray | null) => (data === null ? null : Float64Array.from(data, Math.abs));

/** One pass within 4 sqrt(K) 2^-24 sum |a||b| of the reference, K the terms of its longest sum. */
export function checkPass(
  op: string,
  outputs: readonly number[],
  k: number,
  inputs: (NumberArray | null)[],
  numbers: number[],
): void {
  const all = (kind: 'float32' | 'float64') => outputs.map((size) => ({ kind, size }));
  const sums = call(op, all('float64'), inputs.map(magnitudes), numbers);
  checkAgainstReference(
    op,
    all('float32'),
    inputs,
    numbers,
    (o, i) => 4 * Math.sqrt(k) * 2 ** -24 * sums[o][i],
  );
}

/** All passes of a case over random numbers, on every instruction set and for 1, 2 and 3 threads. */
export function checkConv2d(c: ConvSizes, random: Random): void {
  within(JSON.stringify(c), () => {
    const s = sizes(c);
    const x = random.floats(s.x);
    const weight = random.floats(s.weight);
    const dy = random.floats(s.y);
    const bias = random.int(0, 1) === 1 ? random.floats(c.outC) : null;
    const numbers = s.numbersWith();
    checkPass('conv2d_forward', [s.y], s.patch + 1, [x, weight, bias], numbers);
    checkPass('conv2d_grad_input', [s.x], s.taps, [dy, weight], numbers);
    checkPass('conv2d_grad_weight', [s.weight, c.outC], s.pixels, [dy, x], numbers);
  });
}
