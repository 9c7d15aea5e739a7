// SPDX-License-Identifier: Apache-2.0
// Where the time of a step goes: calls into the addon are timed one by one, keyed by their place in the step. Import
// this before anything runs an instruction: it has to see the block of numbers that the library shares with the addon.
import { loadAddon } from '../../dist/native/load.js';

/** The library asks for the same object, and calls through its properties. */
const addon = loadAddon();
const original = { ...addon };
let shared = new Float64Array();

addon.attach = (handles, params) => {
  shared = params;
  original.attach(handles, params);
};

/** Calls that compute nothing; together they are one figure. */
const SERVICES = ['allocate', 'free', 'write', 'read'];

/** Where the numbers stand: native/plan/conv2d.cc and native/plan/gemm.cc. */
function flopsOf(op, p) {
  if (op.startsWith('conv2d_')) return 2 * p[0] * p[4] * p[5] * p[6] * p[7] * p[8] * p[3];
  if (op.startsWith('linear_') || op === 'matmul') return 2 * p[0] * p[1] * p[2];
  return 0;
}

/**
 * Runs `body` for `steps` times, timing the calls.
 *
 * @returns means of a step: { stepMs, servicesMs, instructions: [{ op, numbers, ms, flops }] }; what is missing from the
 * sum of the parts is JavaScript, and the clock
 */
export function profileSteps(body, steps) {
  const instructions = [];
  let place = 0;
  let servicesMs = 0;
  addon.run = (code, handleCount, paramCount) => {
    const start = performance.now();
    original.run(code, handleCount, paramCount);
    const ms = performance.now() - start;
    instructions[place] ??= { code, numbers: [...shared.subarray(0, paramCount)], ms: 0 };
    if (instructions[place].code !== code) throw new Error('the steps are not alike');
    instructions[place++].ms += ms;
  };
  for (const name of SERVICES) {
    addon[name] = (...args) => {
      const start = performance.now();
      const result = original[name](...args);
      servicesMs += performance.now() - start;
      return result;
    };
  }
  const start = performance.now();
  try {
    for (let i = 0; i < steps; i++, place = 0) body();
  } finally {
    for (const name of ['run', ...SERVICES]) addon[name] = original[name];
  }
  const stepMs = (performance.now() - start) / steps;
  const names = addon.opcodes();
  return {
    stepMs,
    servicesMs: servicesMs / steps,
    instructions: instructions.map(({ code, numbers, ms }) => ({
      op: names[code],
      numbers,
      ms: ms / steps,
      flops: flopsOf(names[code], numbers),
    })),
  };
}
