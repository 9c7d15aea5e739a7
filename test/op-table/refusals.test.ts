// SPDX-License-Identifier: Apache-2.0
// Every operation of the table: what it refuses, with code, operation, what was expected, what came and, where there is
// one, a hint. What every operation must refuse is made from its samples; the rest stands in its row.
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../lib/errors.js';
import { tensor } from '../../lib/tensor/create.js';
import { tensorScope } from '../../lib/tensor/scope.js';
import type { Tensor } from '../../lib/tensor/tensor.js';
import { opTable } from '../helpers/op-table/index.js';
import { dtypeOf, make, type Operand, type Row } from '../helpers/op-table/row.js';
import { expectRefusal } from '../helpers/refusal.js';
import { describeRefusals } from '../helpers/refusal-cases.js';
import { within } from '../helpers/within.js';

/** What stands in for an operand, and the code of the refusal. */
type Mistake = (operand: Operand, before: readonly Operand[]) => readonly [ErrorCode, unknown] | undefined;

const other = (operand: Operand, dtype: 'float32' | 'float64' | 'int32' | 'uint8') =>
  tensor(new Array<number>(operand.values.length).fill(1), operand.shape, { dtype });

const mistakes: Record<string, Mistake> = {
  'an array': () => ['ERR_ARGUMENT', [1, 2]],
  'a number': () => ['ERR_ARGUMENT', 0.5],
  nothing: () => ['ERR_ARGUMENT', undefined],
  'a disposed tensor': (operand) => {
    const gone = other(operand, dtypeOf(operand, 'float32') as 'float32');
    gone.dispose();
    return ['ERR_DISPOSED', gone];
  },
  'whole numbers for floats': (operand) =>
    operand.kind === 'float' ? ['ERR_DTYPE', other(operand, 'int32')] : undefined,
  'another precision than the first': (operand, before) =>
    operand.kind === 'float' && before.some(({ kind }) => kind === 'float')
      ? ['ERR_DTYPE', other(operand, 'float64')]
      : undefined,
};

/** What takes tensors of every type. */
const ANY_TYPE = ['cast', 'reshape', 'flatten'];
/** The places of operands that may be left out. */
const OPTIONAL: Record<string, readonly number[]> = {
  ...{ conv1d: [2], conv2d: [2], convTranspose2d: [2], linear: [2] },
  ...{ batchNorm1d: [3, 4], batchNorm2d: [3, 4], groupNorm: [1, 2], layerNorm: [1, 2] },
};

function checkMistake(row: Row, what: string, mistake: Mistake): void {
  const [{ operands, run }] = row.samples;
  operands.forEach((operand, which) => {
    tensorScope(() => {
      const wrong = mistake(operand, operands.slice(0, which));
      if (wrong === undefined || (wrong[0] === 'ERR_DTYPE' && ANY_TYPE.includes(row.op))) return;
      if (what === 'nothing' && OPTIONAL[row.op]?.includes(which)) return;
      const tensors = operands.map((operand) => make(operand, 'float32'));
      const args = tensors.map((tensor, i) => (i === which ? (wrong[1] as Tensor) : tensor));
      within(`operand ${which}`, () => {
        const error = expectRefusal(() => run(...args), wrong[0], { op: row.op });
        if (wrong[0] === 'ERR_DISPOSED') expect(error.hint).toMatch(/dispose/);
      });
    });
  });
}

describe.each(Object.entries(mistakes))('%s', (what, mistake) => {
  const refusing = opTable.filter(({ isMaker }) => !isMaker);
  test.each(refusing)('is refused by $op', (row) => checkMistake(row, what, mistake));
});

describeRefusals(
  Object.fromEntries(
    opTable.filter(({ refusals }) => refusals.length > 0).map(({ op, refusals }) => [op, [...refusals]]),
  ),
);

test('every operation has refusals of its own', () => {
  // These take one tensor of any shape, and nothing else; or stand behind modules and loaders, which check.
  expect(opTable.filter(({ refusals }) => refusals.length === 0).map(({ op }) => op)).toEqual([
    ...['relu', 'relu6', 'tanh', 'sigmoid', 'silu', 'hardswish', 'increment_', 'augmentImages'],
  ]);
});
