// SPDX-License-Identifier: Apache-2.0
// Learning curves: loss and accuracy over the epochs, within the epochs where training gave points, and on the
// validation set after each.
import type { TopLevelSpec } from 'vega-lite';
import { COLORS, PAGE_COLORS, renderSvg } from './vega.js';

/** What is drawn. */
export interface CurvesInput {
  readonly title: string;
  /** What the set is called that is measured after each epoch. Default 'validation'. */
  readonly validationName?: string | undefined;
  /** Means over parts of an epoch; `epoch` says where they end. */
  readonly points: readonly { readonly epoch: number; readonly loss: number; readonly accuracy: number }[];
  /** One row an epoch. */
  readonly history: readonly {
    readonly epoch: number;
    readonly valLoss?: number | undefined;
    readonly valAccuracy?: number | undefined;
  }[];
}

interface Datum {
  readonly epoch: number;
  readonly value: number;
  readonly series: string;
}

type Colors = Readonly<Record<'blue' | 'orange', string>>;

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';
const TRAINING = 'training';
const WIDTH = 380;
const HEIGHT = 260;

/** The curves as SVG text: two panels beside each other. */
export function curvesSvg(input: CurvesInput): Promise<string> {
  return renderSvg({
    $schema: SCHEMA,
    title: { text: input.title, fontSize: 16 },
    spacing: 48,
    bounds: 'flush',
    hconcat: panels(input, COLORS),
  } as TopLevelSpec);
}

/** Both panels as pictures of their own, loss and accuracy, to stand in a page. */
export function curvesInPage(input: CurvesInput): Promise<string[]> {
  return Promise.all(
    panels(input, PAGE_COLORS).map((spec, i) =>
      renderSvg({ $schema: SCHEMA, ...spec } as unknown as TopLevelSpec, { inPage: `curve${i}` }),
    ),
  );
}

function panels(input: CurvesInput, colors: Colors) {
  const { validationName = 'validation' } = input;
  const training = (measure: 'loss' | 'accuracy'): Datum[] =>
    input.points.map((point) => ({ epoch: point.epoch, value: point[measure], series: TRAINING }));
  const validation = (measure: 'valLoss' | 'valAccuracy'): Datum[] =>
    input.history.flatMap((row) => {
      const value = row[measure];
      return value === undefined ? [] : [{ epoch: row.epoch, value, series: validationName }];
    });
  const loss = [...training('loss'), ...validation('valLoss')];
  const accuracy = [...training('accuracy'), ...validation('valAccuracy')];
  const epochs = Math.max(1, ...loss.map(({ epoch }) => epoch));
  return [
    panel('Loss', loss, epochs, '~g', lossTicks(loss), colors),
    panel('Accuracy', accuracy, epochs, '.0~%', accuracyTicks(accuracy), colors),
  ];
}

/** From 0 up. The first steps of a long training lie far above the rest and are cut off, or all else would be flat. */
function lossTicks(data: readonly Datum[]): number[] {
  const values = data.map(({ value }) => value).sort((a, b) => b - a);
  const top = Math.max(values[Math.floor(values.length / 50)] ?? 0, 0.01);
  return ticks(0, top, 5);
}

/** Up to 1, from the ten per cent below all but the first steps. */
function accuracyTicks(data: readonly Datum[]): number[] {
  const values = data.map(({ value }) => value).sort((a, b) => a - b);
  const low = values[Math.floor(values.length / 50)] ?? 0;
  const range = Math.max(0.1, Math.ceil((1 - low) * 10) / 10);
  return ticks(0, range, 5)
    .map((below) => Math.max(0, Number((1 - below).toPrecision(6))))
    .reverse();
}

/** Ticks from `low` in about `count` steps of 1, 2 or 5 times a power of ten, the last not below `high`. */
function ticks(low: number, high: number, count: number): number[] {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw) + 1e-9);
  const step = power * ([1, 2, 5].find((factor) => factor * power >= raw * 0.999) ?? 10);
  const steps = Math.ceil((high - low) / step - 1e-6);
  return Array.from({ length: steps + 1 }, (_, i) => Number((low + i * step).toPrecision(6))); // 3 * 0.1 is not 0.3
}

function panel(
  title: string,
  values: readonly Datum[],
  epochs: number,
  format: string,
  grid: readonly number[],
  colors: Colors,
) {
  const x = {
    field: 'epoch',
    type: 'quantitative',
    title: 'epoch',
    scale: { domain: [0, epochs], nice: false },
    axis: { grid: false, tickMinStep: 1, tickCount: Math.min(10, epochs), format: 'd' },
  };
  const y = {
    field: 'value',
    type: 'quantitative',
    title: null,
    scale: { domain: [grid[0], grid[grid.length - 1]], nice: false },
    axis: { format, values: grid },
  };
  const series = [...new Set(values.map((datum) => datum.series))];
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: series, range: series.map((name) => (name === TRAINING ? colors.blue : colors.orange)) },
    legend: { orient: 'bottom', direction: 'horizontal', symbolType: 'stroke' },
  };
  return {
    title: { text: title, frame: 'group', offset: 18 },
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    encoding: { x, y, color },
    layer: [
      {
        transform: [{ filter: `datum.series === '${TRAINING}'` }],
        mark: { type: 'line', clip: true, strokeWidth: 2, strokeJoin: 'round' },
      },
      {
        transform: [{ filter: `datum.series !== '${TRAINING}'` }],
        mark: { type: 'line', strokeWidth: 2.5, point: { filled: true, size: 55 } },
      },
    ],
  };
}
