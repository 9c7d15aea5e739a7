// SPDX-License-Identifier: Apache-2.0
// Arrays of numbers as pictures: rows of small heat maps, written as SVG by hand. A path a shade keeps the files small.

const SHADES = 13;
const FONT = 'Helvetica, Arial, sans-serif';
const INK = '#24292f';
const GAP = 18;
const PADDING = 16;
const CAPTION = 20;

/** Black, the paper of the digits, to white. */
const GREY = [
  [36, 41, 47],
  [255, 255, 255],
];
/** Below 0 blue, 0 white, above orange: Okabe and Ito's. */
const SIGNED = [
  [0, 114, 178],
  [250, 250, 250],
  [213, 94, 0],
];

/** A colour of a scale, from 0 to 1. */
function colorAt(scale, share) {
  const place = share * (scale.length - 1);
  const below = Math.min(Math.floor(place), scale.length - 2);
  const mixed = scale[below].map((from, i) =>
    Math.round(from + (place - below) * (scale[below + 1][i] - from)),
  );
  return `#${mixed.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** From 0 to 1: pixels from their smallest to their largest, signed numbers about 0 in the middle. */
function sharesOf(values, kind) {
  const numbers = Array.from(values);
  if (kind === 'pixels') {
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    return numbers.map((value) => (high > low ? (value - low) / (high - low) : 0));
  }
  const largest = Math.max(...numbers.map(Math.abs)) || 1;
  return numbers.map((value) => (value / largest + 1) / 2);
}

/** One picture of `width` by `height` cells, `side` wide. */
function heatMap({ values, height, width, kind = 'signed' }, side, x, y) {
  const cell = side / width;
  const paths = new Map();
  const shades = sharesOf(values, kind).map((share) => Math.round(share * (SHADES - 1)));
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; ) {
      const shade = shades[row * width + column];
      let end = column + 1;
      while (end < width && shades[row * width + end] === shade) end++;
      paths.set(shade, `${paths.get(shade) ?? ''}M${column} ${row}h${end - column}v1h${column - end}z`);
      column = end;
    }
  }
  const scale = kind === 'pixels' ? GREY : SIGNED;
  const drawn = [...paths].map(
    ([shade, d]) => `<path fill="${colorAt(scale, shade / (SHADES - 1))}" d="${d}"/>`,
  );
  const place = `translate(${x} ${y}) scale(${Number(cell.toFixed(4))})`;
  return `<g transform="${place}" shape-rendering="crispEdges">${drawn.join('')}</g><rect x="${x}" y="${y}" width="${side}" height="${(side * height) / width}" fill="none" stroke="#c9ced6"/>`;
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

const words = (x, y, size, text, more = '') =>
  `<text x="${x}" y="${y}" font-family="${FONT}" font-size="${size}" fill="${INK}"${more}>${escaped(text)}</text>`;

/**
 * Rows of pictures, each with its name below.
 *
 * @param {{ title: string, subtitle: string, side: number, rows: { label?: string, pictures: { name: string, values:
 *   ArrayLike<number>, height: number, width: number, kind?: 'signed' | 'pixels' }[] }[] }} sheet
 * @returns {string} SVG
 */
export function heatMaps({ title, subtitle, side, rows }) {
  const most = Math.max(...rows.map(({ pictures }) => pictures.length));
  const width = 2 * PADDING + most * side + (most - 1) * GAP;
  const parts = [
    words(PADDING, PADDING + 14, 16, title, ' font-weight="bold"'),
    words(PADDING, PADDING + 34, 12, subtitle),
  ];
  let y = PADDING + 50;
  for (const { label, pictures } of rows) {
    if (label !== undefined) {
      parts.push(words(PADDING, y + 12, 12, label, ' font-weight="bold"'));
      y += 22;
    }
    pictures.forEach((picture, i) => {
      const x = PADDING + i * (side + GAP);
      parts.push(heatMap(picture, side, x, y), words(x, y + side + 15, 11, picture.name));
    });
    y += side + CAPTION + 8;
  }
  const height = Math.ceil(y + PADDING - 8);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"><rect width="100%" height="100%" fill="#ffffff"/>${parts.join('\n')}</svg>\n`;
}
