// SPDX-License-Identifier: Apache-2.0
// Run by hostile.test.ts in a process of its own: recorded steps, runs and settings of plans as no TypeScript of ours makes
// them. Each must work or throw an error with a code. Arguments: binary, seed, number of plans, path of the trace.
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
const code = (name) => opcodes.indexOf(name);

const counts = { worked: 0, refused: 0, steps: 0 };
const codes = /^ERR_(SHAPE|DTYPE|ARGUMENT|DISPOSED|DATA|NUMERICS|OUT_OF_MEMORY|BUSY)$/;
function isCoded(error) {
  return codes.test(error?.code) && error.expected && error.received;
}
function guarded(call) {
  try {
    const result = call();
    counts.worked += 1;
    return result;
  } catch (error) {
    if (!isCoded(error)) throw error;
    counts.refused += 1;
    return undefined;
  }
}

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
  2 ** 53,
  2 ** 63,
  -1e300,
];
const others = [null, undefined, 'x', {}, [], () => 3, 4n, Symbol('s')];
const anything = () => pick([...strange, ...others]);

const SIZES = [1, 1, 2, 3, 4, 8, 16, 16, 16, 36, 64];
const ARRAYS = [Float32Array, Float64Array, Int32Array, Uint8Array];
const outer = Array.from({ length: 12 }, (_, i) => {
  const dtype = i < 8 ? 0 : pick([1, 2, 2, 3]);
  const size = pick(SIZES);
  const handle = addon.allocate(size, dtype);
  addon.write(
    handle,
    ARRAYS[dtype].from({ length: size }, () => int(0, 3)),
    0,
  );
  return handle;
});

/** Buffers of a step: [size, dtype, role]; few roles are not internal. */
function anyBuffers() {
  return Array.from({ length: int(1, 12) }, () => {
    const size = random() < 0.97 ? pick(SIZES) : pick([...strange, 2 ** 40, 2 ** 45]);
    const dtype = random() < 0.8 ? 0 : pick([0, 1, 2, 3, 3, 2, -1, 4]);
    return [size, dtype, random() < 0.7 ? 0 : pick([0, 1, 2, 2, 1, 3])];
  });
}

const CHAINS = [
  ['conv2d_forward', 'relu_forward'],
  ['conv2d_forward', 'batch_norm_eval', 'relu_forward'],
  ['batch_norm_forward', 'add', 'relu_forward'],
  ['relu_backward', 'batch_norm_backward'],
  ['sgd_update', 'sgd_update', 'adam_update', 'adam_update'],
  ['softmax_cross_entropy', 'gather_images', 'gather_labels'],
  ['fill', 'copy', 'add', 'scale', 'increment'],
];

function anyProgram() {
  const buffers = anyBuffers();
  const operand = () =>
    random() < 0.75
      ? int(0, buffers.length - 1)
      : random() < 0.9
        ? -2 - pick(outer)
        : pick([-1, 999, -(2 ** 31)]);
  const names = random() < 0.6 ? CHAINS.flatMap((chain) => (random() < 0.4 ? chain : [])) : [];
  for (let i = int(0, 4); i > 0; i--) names.push(pick(opcodes));
  let chained = operand();
  const integers = [names.length];
  const numbers = [];
  for (const name of names) {
    const operands = Array.from({ length: int(0, 11) }, operand);
    if (operands.length > 1 && random() < 0.7) {
      operands[pick([1, 1, 3]) % operands.length] = chained;
      chained = operands[0];
    }
    const given = Array.from({ length: pick([0, 1, 2, 6, 7, 13, 14]) }, () =>
      random() < 0.9 ? pick([1, 1, 2, 3, 4, 0]) : pick(strange),
    );
    integers.push(random() < 0.99 ? code(name) : pick([-1, 999]), operands.length, ...operands, given.length);
    numbers.push(...given);
  }
  integers.push(buffers.length);
  for (const [size, dtype, role] of buffers) {
    integers.push(dtype, role);
    numbers.push(size);
  }
  const varying = random() < 0.7 ? [] : [int(-1, names.length), int(-1, 7), int(-1, 1)];
  const variables = varying.length === 0 ? pick([0, 0, 0, 1, -1, 2 ** 31 - 1]) : pick([1, 1, 2]);
  integers.push(varying.length / 3, ...varying, variables);
  if (random() < 0.05) integers.splice(int(0, integers.length - 1), 1);
  if (random() < 0.03) integers[int(0, integers.length - 1)] = pick([-1, 2 ** 31 - 1, -(2 ** 31), 100]);
  return { integers: Int32Array.from(integers), numbers: Float64Array.from(numbers), buffers, variables };
}

/** A step that works: y <- x + w, w <- w + 1, from a stream to an output. */
function goodProgram() {
  const [w] = outer;
  const size = 4;
  const integers = [3, code('add'), 3, 2, 0, 1, 0, code('copy'), 2, 1, 0, 0, code('fill'), 1, -2 - w, 1, 3];
  integers.push(0, 1, 0, 0, 0, 2, 0, 0);
  return {
    integers: Int32Array.from(integers),
    numbers: Float64Array.of(7, size, size, size),
    buffers: [
      [size, 0, 1],
      [size, 0, 0],
      [size, 0, 2],
    ],
    variables: 0,
  };
}

function detached(array) {
  structuredClone(array, { transfer: [array.buffer] });
  return array;
}

/** Arguments of a run, mostly right for the program. */
function runArguments({ buffers, variables }, report) {
  const steps = random() < 0.85 ? int(0, 4) : anything();
  const count = typeof steps === 'number' && steps < 100 && steps > 0 ? Math.floor(steps) : 1;
  const arrayFor = ([size, dtype]) =>
    new (ARRAYS[dtype] ?? Float32Array)(Math.min(1e4, Math.abs(size) || 0) * count);
  const streams = buffers.filter(([, , role]) => role === 1).map(arrayFor);
  const outputs = buffers.filter(([, , role]) => role === 2);
  const arrays = outputs.filter(([size]) => size !== 1).map(arrayFor);
  const numbers = new Float64Array(count * outputs.length);
  const table = new Float64Array(Math.min(100, Math.abs(variables)) * count).fill(0.5);
  const args = [steps, table, streams, numbers, arrays, pick([0, 1, 2, 3]), report];
  if (random() < 0.8) return args;
  const at = int(0, 6);
  args[at] = anything();
  if (at === 2)
    args[at] = pick([
      [],
      [detached(new Float32Array(16))],
      [1, 2],
      [new Float32Array(1)],
      [new DataView(new ArrayBuffer(9))],
    ]);
  if (at === 3) args[at] = pick([detached(new Float64Array(9)), new Float32Array(9), null]);
  return args;
}

const running = new Set();

function start(plan, program) {
  const work = new Promise((resolve) => {
    const report = (done, finished, error) => {
      if (!finished) return;
      if (error !== undefined && !isCoded(error)) throw error;
      counts.steps += done;
      resolve();
    };
    const args = runArguments(program, report);
    const isAsync = random() < 0.5;
    guarded(() => {
      if (isAsync) plan.run(...args);
      else plan.runSync(...args);
      if (args[6] !== report) setTimeout(resolve, 20); // nobody tells of its end
    });
    if (counts.refused !== start.refused) resolve();
    start.refused = counts.refused;
  });
  running.add(work);
  work.finally(() => running.delete(work));
}

const METHODS = ['run', 'runSync', 'setManners', 'stop', 'describe', 'operations', 'dispose'];

for (let call = 0; call < Number(callsText); call++) {
  writeSync(trace, `${call}\n`, 0);
  if (random() < 0.1) {
    const wrong = [
      new Float64Array(3),
      detached(new Int32Array(4)),
      anything(),
      new Int32Array(int(0, 9)).fill(int(-3, 9)),
    ];
    guarded(() => new addon.Plan(pick(wrong), pick([...wrong, new Float64Array(5)]), anything(), anything()));
  }
  const program = random() < 0.3 ? goodProgram() : anyProgram();
  const most = random() < 0.7 ? Infinity : pick([0, 64, 500, ...strange]);
  const plan = guarded(() => new addon.Plan(program.integers, program.numbers, most, random() < 0.5));
  if (plan === undefined) continue;
  for (let i = int(1, 3); i > 0; i--) {
    start.refused = counts.refused;
    start(plan, program);
    if (random() < 0.4) guarded(() => plan.setManners(anything() === 0.5, random() < 0.5 ? 0.9 : anything()));
    if (random() < 0.2) guarded(() => plan[pick(METHODS)](anything(), anything()));
    // Eager work on the same tensors meanwhile
    handles.set([pick(outer), pick(outer)]);
    params.set([3]);
    guarded(() => addon.run(code(pick(['fill', 'copy', 'increment'])), 2, 1));
    guarded(() => addon.write(pick(outer), new Float32Array(1), 0));
    guarded(() => addon.copyBetweenSteps(Int32Array.of(pick(outer), pick(outer)), () => {}));
  }
  if (random() < 0.7) await Promise.all(running);
  if (random() < 0.7) guarded(() => plan.dispose());
  guarded(() => plan.describe());
  if (running.size > 50) await Promise.all(running);
}
await Promise.all(running);
// All runs are over: every tensor is at rest again.
const busy = outer.filter((handle) => !addon.isAtRest(handle)).length;
for (const handle of outer) addon.free(handle);
console.log(JSON.stringify({ ...counts, busy, tensors: addon.memory().tensors }));
