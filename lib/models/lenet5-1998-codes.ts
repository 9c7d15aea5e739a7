// SPDX-License-Identifier: Apache-2.0
// What the 84 units before the last layer of LeNet-5 (1998) are to show for each class: a digit in a raster of 7 x 12, drawn
// in the manner of figure 3 of the paper. Digits that look alike have codes that are near each other.

/** Ten digits side by side; # is +1, a dot -1. */
const DIGITS = [
  '..###.. ...#... .#####. .#####. .....#. ####### ..####. ####### ..###.. ..###..',
  '.#...#. ..##... #.....# #.....# ....##. #...... .#..... ......# .#...#. .#...#.',
  '#.....# .#.#... ......# ......# ...#.#. #...... #...... ......# #.....# #.....#',
  '#.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#',
  '#.....# ...#... ......# ......# .#...#. ######. #.###.. .....#. .#...#. #.....#',
  '#.....# ...#... .....#. ..####. #....#. ......# ##...#. ....#.. ..###.. #.....#',
  '#.....# ...#... ....#.. ......# #....#. ......# #.....# ....#.. .#...#. .#...##',
  '#.....# ...#... ...#... ......# ####### ......# #.....# ...#... #.....# ..###.#',
  '#.....# ...#... ..#.... ......# .....#. ......# #.....# ...#... #.....# ......#',
  '#.....# ...#... .#..... ......# .....#. ......# #.....# ..#.... #.....# ......#',
  '.#...#. ...#... #...... #.....# .....#. #.....# .#...#. ..#.... .#...#. .....#.',
  '..###.. .#####. ####### .#####. .....#. .#####. ..###.. ..#.... ..###.. .####..',
];

/** How many codes there are. */
export const CODE_COUNT = 10;
/** Pixels of a code. */
export const CODE_LENGTH = 84;

/** The codes of the first `classes` digits, [classes, 84] of +1 and -1. */
export function digitCodes(classes: number): Float32Array {
  const codes = new Float32Array(classes * CODE_LENGTH);
  for (let digit = 0; digit < classes; digit++) {
    const pixels = DIGITS.map((row) => row.split(' ')[digit]).join('');
    for (let i = 0; i < CODE_LENGTH; i++) codes[digit * CODE_LENGTH + i] = pixels[i] === '#' ? 1 : -1;
  }
  return codes;
}
