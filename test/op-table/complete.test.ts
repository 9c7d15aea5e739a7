// SPDX-License-Identifier: Apache-2.0
// The table of operations is whole: each operation that lib/ops exports has a row, and each instruction of
// native/plan/opcodes.h is reached by the samples of a row or has one of its own.
import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as receptive from '../../lib/index.js';
import { record } from '../../lib/native/bindings.js';
import { loadAddon } from '../../lib/native/load.js';
import { manualSeed } from '../../lib/tensor/random.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import { opTable } from '../helpers/op-table/index.js';
import { instructionRows, plannerRows } from '../helpers/op-table/instructions.js';
import { make, type Sample } from '../helpers/op-table/row.js';
import { allFiles } from '../helpers/source-tree.js';

type Exports = Readonly<Record<string, unknown>>;

/**
 * Parts that operations share, by file. What begins with the name of the operation that asks, `(op, …)`, is a part anyway,
 * and so is what is no function.
 */
const PARTS: Record<string, readonly string[]> = {
  augment: ['mixLabels'], // data sets' own, by its instruction
  'batch-part': ['BatchParts', 'drawInPart', 'firstInBatch'],
  compute: ['compute'],
  'define-op': ['checkLike'],
  convolution: ['numbersOf', 'outputPixels', 'reachOf'],
  'convolution-passes': ['passesOf'],
  'conv2d-algorithm': ['algorithmNumber'],
  gather: ['gatherFile'], // likewise
  'conv2d-im2col': ['im2colForward', 'im2colGradInput', 'im2colGradWeight'],
  normalization: ['emptyNormalized'],
  'pool-window': ['markPoolWindow', 'poolWindowOf'],
  record: ['isRecording'],
  reduction: ['gradientsLike', 'spreadEach', 'spreadOne', 'spreadRows'],
};

const files = allFiles().filter((path) => /^lib\/ops\/[^/]+\.ts$/.test(path));

async function operationsOf(path: string): Promise<string[]> {
  const exports: Exports = await import(`../../${path.replace(/\.ts$/, '.js')}`);
  const parts = PARTS[basename(path, '.ts')] ?? [];
  return Object.entries(exports).flatMap(([name, value]) => {
    if (typeof value !== 'function' || parts.includes(name)) return [];
    const [first] = /\(([^),]*)/.exec(String(value))?.slice(1) ?? [''];
    return first.trim() === 'op' ? [] : [name];
  });
}

describe('every operation of lib/ops', () => {
  test.each(files)('%s', async (path) => {
    const missing = (await operationsOf(path)).filter((name) => !opTable.some(({ op }) => op === name));
    const hint =
      `${path} exports ${missing.join(', ')} without a row in the table of operations: add one to the file of its family ` +
      'in test/helpers/op-table/, or, where it is only a part of others, its name to PARTS of this test';
    expect(missing, hint).toEqual([]);
  });

  test('has one row, which names what is there', async () => {
    const exported = new Set((await Promise.all(files.map(operationsOf))).flat());
    const names = opTable.map(({ op }) => op);
    expect(names.filter((name) => !exported.has(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test('of the library itself is among them', () => {
    const { nn, optim, ...top } = receptive;
    const free = ['argmax', 'conv2d', 'crossEntropy', 'dropout', 'upsample', 'checkpoint'];
    for (const name of free) {
      expect(top).toHaveProperty(name);
      expect(
        opTable.some(({ op }) => op === name),
        name,
      ).toBe(true);
    }
  });
});

const names = loadAddon().opcodes();

/** The instructions that a sample runs, forward and backward. */
function instructionsOf({ operands, run }: Sample): string[] {
  const codes: number[] = [];
  tensorScope(() => {
    manualSeed(1);
    const tensors = operands.map((operand) => make(operand, 'float32'));
    record((recording) => {
      try {
        const output = run(...tensors);
        if (output.requiresGrad) output.backward(new Float32Array(output.size));
      } catch {
        // What looks at values is recorded up to there; samples are proven to run elsewhere.
      }
      const { integers } = recording.encode();
      for (let at = 1, i = 0; i < integers[0]; i++) {
        codes.push(integers[at]);
        at += 2 + integers[at + 1] + 1; // code, operands, numbers
      }
    });
  });
  return codes.map((code) => names[code]);
}

test('every instruction is reached by a row', () => {
  const samples = opTable.flatMap(({ samples }) => samples);
  const reached = new Set(samples.flatMap(instructionsOf));
  const rows = [...instructionRows, ...plannerRows].map(({ instruction }) => instruction);
  const missing = names.filter((name) => !reached.has(name) && !rows.includes(name));
  const hint =
    `instructions ${missing.join(', ')} of native/plan/opcodes.h: no sample of the table of operations runs them. Add the ` +
    'operation, or a row to test/helpers/op-table/instructions.ts';
  expect(missing, hint).toEqual([]);
  expect(rows.filter((name) => !names.includes(name))).toEqual([]);
});
