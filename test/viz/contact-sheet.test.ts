// SPDX-License-Identifier: Apache-2.0
import { expect, it } from 'vitest';
import { contactSheet } from '../../lib/viz/contact-sheet.js';

it('puts pictures side by side, enlarged, with gaps', () => {
  const rows = [
    [Uint8Array.of(10, 20), Uint8Array.of(30, 40)],
    [Uint8Array.of(50, 60), Uint8Array.of(70, 80)],
  ];
  const { pixels, height, width } = contactSheet(rows, [1, 2, 1]);
  expect([height, width]).toEqual([4 + 2 * (36 + 4), 4 + 2 * (72 + 4)]);
  const at = (y: number, x: number) => [...pixels.subarray((y * width + x) * 3, (y * width + x) * 3 + 3)];
  expect(at(0, 0)).toEqual([255, 255, 255]);
  expect([at(4, 4), at(39, 75), at(4, 40)]).toEqual([
    new Array(3).fill(10),
    new Array(3).fill(20),
    new Array(3).fill(20),
  ]);
  expect([at(20, 76), at(44, 80), at(79, 151)].map(([red]) => red)).toEqual([255, 70, 80]);
  const colours = contactSheet([[Uint8Array.of(1, 2, 3)]], [1, 1, 3]);
  expect([...colours.pixels.subarray((4 * colours.width + 4) * 3, (4 * colours.width + 4) * 3 + 3)]).toEqual([
    1, 2, 3,
  ]);
});
