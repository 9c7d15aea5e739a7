// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { count, duration, percent, plural, short } from '../../lib/cli/format.js';
import { groundOf, inkBox } from '../../lib/cli/ink.js';

describe('numbers as people read them', () => {
  it.each([
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.6, '1 min 00 s'],
    [185, '3 min 05 s'],
    [7_620, '2 h 07 min'],
    [Number.POSITIVE_INFINITY, '?'],
  ])('duration %d', (seconds, text) => expect(duration(seconds)).toBe(text));

  it.each([
    [840, '840'],
    [416_520, '416.5 k'],
    [999_960, '1.0 M'],
    [2.5e9, '2.5 G'],
  ])('short %d', (value, text) => expect(short(value)).toBe(text));

  it('counts, shares and plurals', () => {
    expect([count(61_706), percent(0.98765), percent(0.5, 0)]).toEqual(['61,706', '98.77 %', '50 %']);
    expect([plural(1, 'thread'), plural(2_000, 'step')]).toEqual(['1 thread', '2,000 steps']);
  });
});

describe('figure and ground', () => {
  /** Rows of digits, each a tenth of full brightness. */
  const picture = (...rows: string[]) => ({
    data: Uint8Array.from(rows.join(''), (digit) => Number(digit) * 25),
    height: rows.length,
    width: rows[0].length,
    channels: 1,
  });

  it('finds the box around what differs from the border', () => {
    const image = picture('000000', '000000', '000980', '000090', '000000');
    expect(groundOf(image)).toEqual([0]);
    expect(inkBox(image, [0])).toEqual({ left: 3, top: 2, width: 2, height: 2 });
  });

  it('does so for dark figures on a bright ground, and ignores grain', () => {
    const image = picture('999999', '989999', '991999', '999989', '999999');
    expect(groundOf(image)).toEqual([225]);
    expect(inkBox(image, [225])).toEqual({ left: 2, top: 2, width: 1, height: 1 });
  });

  it('finds nothing on an empty sheet', () => {
    expect(inkBox(picture('555', '555', '555'), [125])).toBeUndefined();
    expect(groundOf(picture('7'))).toEqual([175]);
  });
});
