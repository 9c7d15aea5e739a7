// SPDX-License-Identifier: Apache-2.0
// The one error form: parts, sentence, path, and the words for values.
import { expect, describe as group, test } from 'vitest';
import { describe, didYouMean, fail, ReceptiveError } from '../lib/errors.js';

const parts = { op: 'conv2d', expected: '3 channels', received: '[1, 8, 8, 4]', hint: 'channels last' };

group('fail', () => {
  test('builds an error with its parts, and leaves throwing to the caller', () => {
    const error = fail('ERR_SHAPE', parts);
    expect(error).toBeInstanceOf(ReceptiveError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'ReceptiveError', code: 'ERR_SHAPE', path: undefined, ...parts });
    expect(error.stack).toContain('errors.test.ts');
  });

  test('says who, what was expected, what came, the hint and the code in one line', () => {
    expect(fail('ERR_SHAPE', parts).message).toBe(
      'conv2d: expected 3 channels, received [1, 8, 8, 4] (hint: channels last) [ERR_SHAPE]',
    );
    expect(fail('ERR_DATA', { op: 'idx', expected: 'a header', received: 'nothing' }).message).toBe(
      'idx: expected a header, received nothing [ERR_DATA]',
    );
  });

  test('keeps the error underneath', () => {
    const cause = new Error('ENOENT');
    expect(fail('ERR_FILE', { ...parts, cause }).cause).toBe(cause);
    expect('cause' in fail('ERR_FILE', parts)).toBe(false);
  });
});

test('addPath names the layer, outermost first, and keeps the rest of the sentence', () => {
  const error = fail('ERR_SHAPE', parts);
  for (const name of ['0', 'features', 'encoder']) error.addPath(name);
  expect(error.path).toBe('encoder.features.0');
  expect(error.message).toBe(
    'conv2d in layer encoder.features.0: expected 3 channels, received [1, 8, 8, 4] (hint: channels last) [ERR_SHAPE]',
  );
});

group('describe', () => {
  const circular: unknown[] = [1];
  circular.push(circular);
  const nameless = Object.create(null) as object;
  const cases: [unknown, string][] = [
    ['a "b"', '"a \\"b\\""'],
    [3.5, '3.5'],
    [-0, '0'],
    [Number.NaN, 'NaN'],
    [10n, '10'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [new Float32Array(3), 'Float32Array'],
    [{ a: 1 }, 'Object'],
    [nameless, 'object'],
    [Math.max, 'function max'],
    [() => 1, 'function'],
    [[1, '2', null], '[1, "2", null]'],
    [new Array(2), '[undefined, undefined]'],
    [[[1, 2], 3], '[array of 2, 3]'],
    [circular, '[1, array of 2]'],
    [Array.from({ length: 1000 }, (_, i) => i), '[0, 1, 2, 3, 4, 5, 6, 7, … 1000 in all]'],
  ];
  test.each(cases.map(([value, words]) => ({ value, words })))('$words', ({ value, words }) => {
    expect(describe(value)).toBe(words);
  });
});

group('didYouMean', () => {
  const known = ['lenet5', 'xo', 'resnet18'];
  test('names the nearest known name', () => {
    expect(didYouMean('lenet', known)).toBe('did you mean lenet5?');
    expect(didYouMean('LeNet-5', known)).toBe('did you mean lenet5?');
    expect(didYouMean('resnet81', known)).toBe('did you mean resnet18?');
  });
  test('stays silent where nothing is near, and for no names at all', () => {
    expect(didYouMean('transformer', known)).toBeUndefined();
    expect(didYouMean('x', [])).toBeUndefined();
    expect(didYouMean(undefined, known)).toBeUndefined();
  });
});
