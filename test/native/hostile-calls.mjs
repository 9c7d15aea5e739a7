// SPDX-License-Identifier: Apache-2.0
// Run by hostile.test.ts in a process of its own: seeded random calls to the addon, past every check of TypeScript.
// Each must work or throw an error with a code. Before each call its number is written to a shared file, so that the
// parent can name the one that killed the process. Arguments: binary, seed, number of calls, path of that file.
import { openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';

const [binary, seedText, callsText, path] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(binary);
const trace = openSync(path, 'w');

let state = Number(seedText) >>> 0;
/** Uniform in [0, 1): mulberry32. */
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
}
const int = (low, high) => low + Math.floor(random() * (high - low + 1));
const pick = (items) => items[int(0, items.length - 1)];

const handles = new Int32Array(12);
const params = new Float64Array(64);
addon.attach(handles, params);
const opcodes = addon.opcodes();

const strange = [
  -1,
  0,
  0.5,
  -0,
  NaN,
  Infinity,
  -Infinity,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  2 ** 53,
  2 ** 63,
  1e300,
  -1e300,
];
const arrays = [Float32Array, Float64Array, Int32Array, Uint8Array];
const live = [];

function allocate() {
  if (live.length > 60) addon.free(live.splice(int(0, live.length - 1), 1)[0]);
  const size = random() < 0.5 ? int(0, 16) : pick([1, 4, 9, 16, 18, 25, 27, 36, 48, 64, 108, 256]);
  const dtype = random() < 0.6 ? 0 : int(0, 3);
  const handle = addon.allocate(size, dtype);
  live.push(handle);
  const data = new arrays[dtype](size);
  for (let i = 0; i < size; i++) data[i] = random() < 0.05 ? pick(strange) : random() * 6 - 1;
  addon.write(handle, data, 0);
}

/** Numbers of sizes that often fit together, so that many calls get past the checks. */
function number() {
  const kind = random();
  if (kind < 0.75) return pick([1, 1, 1, 2, 2, 3, 3, 4, 5, 0]);
  if (kind < 0.9) return int(0, 300);
  return pick(strange);
}

function fittingConvolution() {
  const [n, h, w, c, o, kh, kw] = [
    int(1, 2),
    int(1, 4),
    int(1, 4),
    int(1, 18),
    int(1, 3),
    int(1, 3),
    int(1, 3),
  ];
  const [oh, ow] = [int(1, 5), int(1, 5)];
  const dtype = int(0, 1);
  const made = [n * oh * ow * o, n * h * w * c, o * kh * kw * c].map((size) => addon.allocate(size, dtype));
  const numbers = [
    n,
    h,
    w,
    c,
    oh,
    ow,
    o,
    kh,
    kw,
    pick([1, 2, 7, 2 ** 31, 2 ** 40]),
    pick([1, 3, 1000, 2 ** 31]),
    pick([0, 1, 9, 2 ** 31]),
    pick([0, 2, 500]),
  ];
  const [y, x, weight] = made;
  for (const [op, operands] of [
    ['conv2d_forward', [y, x, weight]],
    ['conv2d_grad_input', [x, y, weight]],
    ['conv2d_grad_weight', [weight, -1, y, x]],
  ]) {
    handles.set([...operands, -1]);
    params.set(numbers);
    guarded(() => addon.run(opcodes.indexOf(op), operands.length + 1, 13));
  }
  for (const handle of made) addon.free(handle);
}

function fittingPool() {
  const [n, h, w, c, kh, kw] = [int(1, 2), int(1, 5), int(1, 5), int(1, 18), int(1, 4), int(1, 4)];
  const [oh, ow] = [int(1, 4), int(1, 4)];
  const [x, y, winners] = [
    addon.allocate(n * h * w * c, 0),
    addon.allocate(n * oh * ow * c, 0),
    addon.allocate(n * oh * ow * c, 3),
  ];
  addon.write(
    winners,
    Uint8Array.from({ length: n * oh * ow * c }, () => int(0, 255)),
    0,
  ); // lies about who won
  const numbers = [n, h, w, c, oh, ow, kh, kw, int(1, 4), int(1, 4), int(0, 4), int(0, 4), int(0, 1)];
  for (const [op, operands] of [
    ['max_pool2d_backward', [x, y, winners]],
    ['max_pool2d_forward', [y, winners, x]],
    ['avg_pool2d_forward', [y, x]],
    ['avg_pool2d_backward', [x, y]],
    ['lp_pool2d_forward', [y, x]],
    ['lp_pool2d_backward', [x, y, x, y]],
  ]) {
    handles.set(operands);
    params.set(numbers);
    guarded(() => addon.run(opcodes.indexOf(op), operands.length, 13));
  }
  for (const handle of [x, y, winners]) addon.free(handle);
}

const counts = { worked: 0, refused: 0 };
const codes = /^ERR_(SHAPE|DTYPE|ARGUMENT|DISPOSED|DATA|NUMERICS|OUT_OF_MEMORY)$/;
function guarded(call) {
  try {
    call();
    counts.worked += 1;
  } catch (error) {
    const isTyped = error instanceof Error && codes.test(error.code) && error.expected && error.received;
    if (!isTyped) throw error;
    counts.refused += 1;
  }
}

function anyInstruction() {
  const operands = int(0, 12);
  for (let i = 0; i < operands; i++) {
    const kind = random();
    handles[i] = kind < 0.85 ? pick(live) : kind < 0.92 ? -1 : pick([-2, 1e6, 2 ** 31 - 1, -(2 ** 31)]);
  }
  const numbers = pick([0, 1, 2, 3, 4, 6, 7, 13, 14, 64]);
  for (let i = 0; i < numbers; i++) params[i] = number();
  const code =
    random() < 0.98
      ? int(0, opcodes.length - 1)
      : pick([-1, 9999, 0.5, NaN, 2 ** 31, 'fill', null, undefined, {}]);
  const count = random() < 0.97 ? operands : pick([-1, 1e9, NaN, '3', undefined]);
  guarded(() => addon.run(code, count, random() < 0.97 ? numbers : pick([-5, 1e9, NaN, null])));
}

function anyTransfer() {
  const array = pick([
    new Float32Array(int(0, 20)),
    new Float64Array(3),
    new Int32Array(2),
    new Uint8Array(5),
    [1],
    null,
    'x',
    new DataView(new ArrayBuffer(8)),
    new BigInt64Array(2),
  ]);
  const handle = random() < 0.7 ? pick(live) : pick([...strange, 'h', null, undefined, {}]);
  const first = random() < 0.7 ? int(0, 4) : pick([...strange, 'f', undefined]);
  guarded(() => (random() < 0.5 ? addon.write(handle, array, first) : addon.read(handle, array, first)));
}

function anySetting() {
  const value = pick([...strange, 1, 2, 3, '2', null, undefined, {}, [], 'avx2', 'scalar']);
  guarded(() =>
    pick([
      () => addon.setThreads(value),
      () => addon.setIsa(value),
      () => addon.free(addon.allocate(value > 1e6 ? 1 : value, 9)),
      () => addon.free(value),
      () => addon.free(addon.allocate(3, value)),
      () => addon.attach(value, params),
      () => addon.peak(value, value),
    ])(),
  );
  addon.setThreads(int(1, 3));
}

for (let i = 0; i < 20; i++) allocate();
for (let call = 0; call < Number(callsText); call++) {
  writeSync(trace, `${call}\n`, 0);
  const kind = random();
  if (kind < 0.2) allocate();
  else if (kind < 0.25) fittingConvolution();
  else if (kind < 0.3) fittingPool();
  else if (kind < 0.36) anyTransfer();
  else if (kind < 0.38) anySetting();
  else anyInstruction();
}
for (const handle of live) addon.free(handle);
console.log(JSON.stringify({ ...counts, tensors: addon.memory().tensors }));
