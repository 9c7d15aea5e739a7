// SPDX-License-Identifier: Apache-2.0
// Where the time of a step goes: calls into the addon are timed one by one, keyed by their place in the step. Import
// this before anything runs an instruction: it has to see the block of numbers that the library shares with the addon.
import { loadAddon } from '../../dist/native/load.js';
import { median } from '../harness/statistics.mjs';

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
 * @returns medians over the steps: { stepMs, servicesMs, instructions: [{ op, numbers, ms, flops }] }; what is missing
 * from the sum of the parts is JavaScript, and the clock
 */
export function profileSteps(body, steps) {
  const instructions = [];
  const stepTimes = [];
  const serviceTimes = [];
  let place = 0;
  let services = 0;
  addon.run = (code, handleCount, paramCount) => {
    const start = performance.now();
    original.run(code, handleCount, paramCount);
    const ms = performance.now() - start;
    instructions[place] ??= { code, numbers: [...shared.subarray(0, paramCount)], times: [] };
    if (instructions[place].code !== code) throw new Error('the steps are not alike');
    instructions[place++].times.push(ms);
  };
  for (const name of SERVICES) {
    addon[name] = (...args) => {
      const start = performance.now();
      const result = original[name](...args);
      services += performance.now() - start;
      return result;
    };
  }
  try {
    for (let i = 0; i < steps; i++) {
      place = 0;
      services = 0;
      const start = performance.now();
      body();
      stepTimes.push(performance.now() - start);
      serviceTimes.push(services);
    }
  } finally {
    for (const name of ['run', ...SERVICES]) addon[name] = original[name];
  }
  const names = addon.opcodes();
  return {
    stepMs: median(stepTimes),
    servicesMs: median(serviceTimes),
    instructions: instructions.map(({ code, numbers, times }) => ({
      op: names[code],
      numbers,
      ms: median(times),
      flops: flopsOf(names[code], numbers),
    })),
  };
}
