// SPDX-License-Identifier: Apache-2.0
// The kinds of picture that experiments draw, in the look of the library's own.
import { renderSvg } from '../../dist/viz/vega.js';

/** Okabe and Ito's colours, told apart by people with any colour vision. */
export const PALETTE = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#24292f'];
export const WIDTH = 560;
export const HEIGHT = 320;

/**
 * An axis of numbers.
 *
 * @param {{ field: string, title: string, format?: string, scale?: object, values?: number[] }} axis
 */
function quantitative({ field, title, format, scale = { zero: false, nice: false }, values }) {
  const axis = { ...(format === undefined ? {} : { format }), ...(values === undefined ? {} : { values }) };
  return { field, type: 'quantitative', title, scale, axis };
}

/**
 * Lines, one colour a series, with a point at each value where there are few.
 *
 * @param {{ title: string, subtitle?: string, values: object[], x: object, y: object, series: string[], points?: boolean,
 *   colors?: number[], dashes?: number[][], rules?: { y?: number, x?: number, label: string, below?: boolean }[] }} chart values have the fields of both axes and
 *   `series`; `colors` has a place in PALETTE and `dashes` a pattern for each series; rules are lines across, with a label
 * @returns {Promise<string>} SVG
 */
export function lines({
  title,
  subtitle,
  values,
  x,
  y,
  series,
  colors,
  points = false,
  dashes,
  rules = [],
  columns = 3,
}) {
  const domain = { domain: series };
  const encoding = {
    x: quantitative(x),
    y: quantitative(y),
    color: {
      field: 'series',
      type: 'nominal',
      scale: { ...domain, range: (colors ?? [...series.keys()]).map((index) => PALETTE[index]) },
      legend: { orient: 'bottom', direction: 'horizontal', symbolType: 'stroke', columns, labelLimit: 260 },
    },
    ...(dashes === undefined
      ? {}
      : { strokeDash: { field: 'series', type: 'nominal', scale: { ...domain, range: dashes } } }),
  };
  const mark = { type: 'line', clip: !points, strokeWidth: 2.5, strokeJoin: 'round' };
  return renderSvg({
    ...common(title, subtitle),
    layer: [
      { data: { values }, encoding, mark: points ? { ...mark, point: { filled: true, size: 60 } } : mark },
      ...rules.flatMap((rule) => ruleLayers(rule)),
    ],
  });
}

function ruleLayers({ x, y, label, below = false }) {
  const place = x === undefined ? { y: { datum: y } } : { x: { datum: x } };
  const text =
    x === undefined
      ? { x: { value: WIDTH - 4 }, align: 'right', dy: below ? 10 : -7 }
      : { y: { value: 8 }, align: 'left', dx: 6, dy: 0 };
  const { align, dx = 0, dy, ...at } = text;
  return [
    { data: { values: [{}] }, mark: { type: 'rule', strokeDash: [4, 4], color: '#8a8f98' }, encoding: place },
    {
      data: { values: [{ label }] },
      mark: { type: 'text', align, dx, dy, color: '#4a4f57', fontSize: 12 },
      encoding: { ...place, ...at, text: { field: 'label' } },
    },
  ];
}

/**
 * Bars lying on their side, one row a name and one bar a series in it, with their values as text.
 *
 * @param {{ title: string, subtitle?: string, values: { name: string, series?: string, value: number }[], x: { title: string,
 *   format: string, scale?: object }, series?: string[] }} chart
 * @returns {Promise<string>} SVG
 */
export function bars({ title, subtitle, values, x, series = [''] }) {
  const names = [...new Set(values.map(({ name }) => name))];
  const many = series.length > 1;
  const encoding = {
    y: {
      field: 'name',
      type: 'nominal',
      sort: names,
      title: null,
      axis: { labelLimit: 320, grid: false },
      scale: { paddingInner: many ? 0.3 : 0.35, paddingOuter: 0.2 },
    },
    x: {
      field: 'value',
      type: 'quantitative',
      title: x.title,
      axis: { format: x.format, tickCount: 6 },
      scale: x.scale ?? {},
    },
    ...(many ? { yOffset: { field: 'series', type: 'nominal', sort: series } } : {}),
  };
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: series, range: PALETTE.slice(0, series.length) },
    legend: many ? { orient: 'bottom', direction: 'horizontal', symbolType: 'square' } : null,
  };
  const data = values.map((value) => ({ series: series[0], ...value }));
  return renderSvg({
    ...common(title, subtitle),
    height: Math.max(140, names.length * (many ? 22 * series.length + 12 : 34)),
    data: { values: data },
    encoding,
    layer: [
      { mark: { type: 'bar', clip: true }, encoding: { color } },
      {
        mark: { type: 'text', align: 'left', dx: 5, fontSize: 12, color: '#24292f' },
        encoding: { text: { field: 'value', type: 'quantitative', format: x.textFormat ?? x.format } },
      },
    ],
  });
}

function common(title, subtitle) {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: title,
      fontSize: 16,
      ...(subtitle === undefined ? {} : { subtitle, subtitleColor: '#4a4f57', subtitlePadding: 6 }),
    },
    width: WIDTH,
    height: HEIGHT,
  };
}
