// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { cluttered, joined, placed } from '../../experiments/harness/images.mjs';
import { markdownTable } from '../../experiments/harness/report.mjs';
import { ArrayDataset } from '../../lib/data/dataset.js';
import { glyphs } from '../../lib/data/glyphs.js';

/** Two pictures of 2 x 3. */
const small = new ArrayDataset({
  images: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12),
  labels: [0, 1],
  imageShape: [2, 3, 1],
  classNames: ['a', 'b'],
});

describe('placed', () => {
  test.each([
    [{}, [1, 2, 3, 4, 5, 6]],
    [{ right: 1 }, [0, 1, 2, 0, 4, 5]],
    [{ right: -2 }, [3, 0, 0, 6, 0, 0]],
    [{ down: 1 }, [0, 0, 0, 1, 2, 3]],
    [{ down: -1, right: 1 }, [0, 4, 5, 0, 0, 0]],
    [{ right: 3 }, [0, 0, 0, 0, 0, 0]],
  ])('moves by %j', (move, expected) => {
    const moved = placed(small, move);
    expect([...moved.images.subarray(0, 6)]).toEqual(expected);
    expect([...moved.labels]).toEqual([0, 1]);
  });

  test('adds a border, into which pictures can move', () => {
    const moved = placed(small, { border: 1, right: 1, down: -1 });
    expect(moved.imageShape).toEqual([4, 5, 1]);
    const second = [...moved.images.subarray(20)];
    expect(second).toEqual([0, 0, 7, 8, 9, 0, 0, 10, 11, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

test('joined puts sets behind each other', () => {
  const both = joined([small, placed(small, { right: 1 })]);
  expect([both.length, [...both.labels]]).toEqual([4, [0, 1, 0, 1]]);
  expect([...both.images.subarray(12, 18)]).toEqual([0, 1, 2, 0, 4, 5]);
});

test('cluttered only adds light, the same for the same seed', () => {
  const { train } = glyphs({ trainSize: 20, testSize: 1 });
  const clutter = { squares: 12, side: 8, seed: 3 };
  const dirty = cluttered(train, clutter);
  expect(dirty.images).toEqual(cluttered(train, clutter).images);
  expect(dirty.images).not.toEqual(cluttered(train, { ...clutter, seed: 4 }).images);
  expect(dirty.images.every((value, i) => value >= train.images[i])).toBe(true);
  expect(dirty.images.filter((value, i) => value > train.images[i]).length).toBeGreaterThan(20 * 28);
});

test('a table has a line for each row and nothing for what is missing', () => {
  const columns = [
    { key: 'name', title: 'name', format: 'text' },
    { key: 'share', title: 'share', format: 'percent' },
    { key: 'count', title: 'count', format: 'count' },
  ];
  const rows = [
    { name: 'a', share: 0.1234, count: 12345 },
    { name: 'b', share: null, count: 0 },
  ];
  expect(markdownTable(columns, rows).split('\n')).toEqual([
    '| name | share | count |',
    '| --- | ---: | ---: |',
    '| a | 12.34 % | 12,345 |',
    '| b |  | 0 |',
  ]);
});
