// SPDX-License-Identifier: Apache-2.0
// How people write the ten digits: several ways each, as pen strokes through knots. The knots are the habit;
// `glyphs.ts` adds the hand.
//
// A way is written `x,y x,y …` in hundredths of the box, x to the right and y down. ` / ` is a corner, where the
// pen turns without being lifted; ` + ` lifts it and begins a new stroke.

import { parseStrokes, type Stroke } from './stroke.js';

/** One way to write a digit. */
export interface GlyphVariant {
  /** How common it is among the ways to write this digit; only the ratio matters. */
  readonly weight: number;
  readonly strokes: readonly Stroke[];
}

function way(weight: number, knots: string): GlyphVariant {
  return { weight, strokes: parseStrokes(knots) };
}

const ZERO: readonly GlyphVariant[] = [
  way(4, '56,2 20,15 5,50 20,88 50,98 82,85 95,50 82,14 50,3'),
  way(2, '72,10 42,2 10,26 3,62 25,95 62,96 93,65 90,25 62,3 36,12'),
  way(1, '30,8 8,36 8,70 36,97 72,92 94,58 84,18 52,2 22,14'),
];

const ONE: readonly GlyphVariant[] = [
  way(4, '52,0 50,50 48,100'),
  way(2, '70,0 50,50 32,100'),
  way(2, '30,26 44,16 57,0 / 56,50 54,100'),
  way(1, '30,22 43,14 54,0 / 53,50 52,97 + 24,99 52,98 82,97'),
];

const TWO: readonly GlyphVariant[] = [
  way(3, '10,25 30,5 65,3 88,22 76,50 42,78 8,97 / 50,94 96,96'),
  way(3, '12,22 36,3 70,6 86,28 66,58 32,88 10,96 7,82 26,78 56,93 96,92'),
  way(2, '12,12 50,2 85,15 80,40 46,70 10,96 / 38,88 65,99 96,90'),
  way(1, '26,34 14,18 44,2 84,14 82,42 50,72 10,95 / 96,98'),
];

const THREE: readonly GlyphVariant[] = [
  way(4, '12,12 45,1 82,14 76,36 40,48 / 76,56 90,78 56,98 8,88'),
  way(2, '10,14 50,1 84,20 64,42 40,48 46,52 74,54 90,76 52,98 6,88'),
  way(1, '12,6 50,5 86,4 / 42,42 / 76,48 92,74 55,98 8,88'),
];

const FOUR: readonly GlyphVariant[] = [
  way(3, '20,4 14,30 8,55 / 50,56 94,52 + 74,10 70,50 66,100'),
  way(2, '66,1 36,33 5,63 / 50,64 95,61 + 67,1 66,50 64,100'),
  way(2, '14,5 10,36 28,54 62,50 86,34 + 88,2 82,50 74,100'),
  way(1, '64,2 32,36 6,64 / 46,62 90,60 + 60,34 58,68 54,100'),
];

const FIVE: readonly GlyphVariant[] = [
  way(3, '22,6 19,25 15,45 / 46,36 84,50 88,78 50,98 6,88 + 22,6 55,5 94,2'),
  way(3, '92,3 56,4 22,6 / 15,45 / 50,36 88,55 82,86 45,98 5,88'),
  way(1, '90,5 50,3 22,12 20,36 50,45 84,60 80,87 45,98 6,88'),
  way(1, '24,12 20,46 / 54,42 84,58 82,84 48,98 8,92 + 32,4 62,2 98,0'),
];

const SIX: readonly GlyphVariant[] = [
  way(3, '76,2 40,20 12,55 12,86 42,99 78,88 85,65 60,50 30,58 12,78'),
  way(2, '60,0 30,35 10,70 25,95 60,98 82,78 66,58 36,63 16,82'),
  way(1, '86,10 60,2 25,20 7,55 20,92 60,98 90,75 72,48 35,48 10,68'),
];

const SEVEN: readonly GlyphVariant[] = [
  way(4, '8,8 50,8 92,4 / 65,45 42,100'),
  way(2, '8,8 50,7 92,5 / 66,45 40,100 + 30,50 56,48 84,45'),
  way(1, '10,26 12,6 / 50,8 92,5 / 62,50 42,100'),
  way(2, '6,11 45,5 86,6 84,24 62,58 46,100'),
];

const EIGHT: readonly GlyphVariant[] = [
  way(4, '80,16 50,2 18,14 22,36 50,48 82,66 80,90 50,99 16,88 20,64 50,48 78,34 80,14'),
  way(1, '52,1 20,12 22,38 50,46 80,36 80,12 50,2 + 50,47 14,60 14,90 50,99 88,88 86,60 50,46'),
  way(2, '80,10 46,3 20,20 40,42 76,62 82,86 50,99 18,86 30,60 62,38 86,12'),
];

const NINE: readonly GlyphVariant[] = [
  way(3, '84,12 50,2 14,20 16,44 50,50 80,30 86,8 / 84,50 78,100'),
  way(2, '85,20 55,2 15,15 15,42 50,52 80,36 88,16 90,46 84,76 54,98 14,90'),
  way(2, '80,15 45,2 12,22 25,46 60,42 82,12 / 70,50 46,100'),
];

/** The ways to write each digit, by digit. */
export const GLYPH_VARIANTS: readonly (readonly GlyphVariant[])[] = [
  ZERO,
  ONE,
  TWO,
  THREE,
  FOUR,
  FIVE,
  SIX,
  SEVEN,
  EIGHT,
  NINE,
];
