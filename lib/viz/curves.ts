// SPDX-License-Identifier: Apache-2.0
// Learning curves: loss and accuracy over the epochs, within the epochs where training gave points, and on the
// validation set after each.
import type { TopLevelSpec } from 'vega-lite';
import { COLORS, renderSvg } from './vega.js';

/** What is drawn. */
export interface CurvesInput {
  readonly title: string;
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
  readonly series: 'training' | 'validation';
}

const SERIES_COLORS = { training: COLORS.blue, validation: COLORS.orange };
const WIDTH = 380;
const HEIGHT = 260;

/** The curves as SVG text: two panels beside each other. */
export async function curvesSvg(input: CurvesInput): Promise<string> {
  const training = (measure: 'loss' | 'accuracy'): Datum[] =>
    input.points.map((point) => ({ epoch: point.epoch, value: point[measure], series: 'training' }));
  const validation = (measure: 'valLoss' | 'valAccuracy'): Datum[] =>
    input.history.flatMap((row) => {
      const value = row[measure];
      return value === undefined ? [] : [{ epoch: row.epoch, value, series: 'validation' as const }];
    });
  const loss = [...training('loss'), ...validation('valLoss')];
  const accuracy = [...training('accuracy'), ...validation('valAccuracy')];
  const epochs = Math.max(1, ...loss.map(({ epoch }) => epoch));
  return renderSvg({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: input.title, fontSize: 16 },
    spacing: 48,
    bounds: 'flush',
    hconcat: [
      panel('Loss', loss, epochs, '~g', lossDomain(loss)),
      panel('Accuracy', accuracy, epochs, '.0~%', accuracyDomain(accuracy)),
    ],
  } as TopLevelSpec);
}

/** From 0 up. The first steps of a long training lie far above the rest and are cut off, or all else would be flat. */
function lossDomain(data: readonly Datum[]): [number, number] {
  const values = data.map(({ value }) => value).sort((a, b) => b - a);
  const top = Math.max(values[Math.floor(values.length / 50)] ?? 0, 0.01);
  const magnitude = 10 ** Math.floor(Math.log10(top));
  const step = magnitude * (top / magnitude <= 2 ? 0.5 : 1); // ends at a grid line, as the accuracy does
  return [0, Math.ceil(top / step) * step];
}

/** Up to 1, from the ten per cent below all but the first steps. */
function accuracyDomain(data: readonly Datum[]): [number, number] {
  const values = data.map(({ value }) => value).sort((a, b) => a - b);
  const low = values[Math.floor(values.length / 50)] ?? 0;
  return [Math.min(0.9, Math.floor(low * 10) / 10), 1];
}

function panel(
  title: string,
  values: readonly Datum[],
  epochs: number,
  format: string,
  domain: [number, number],
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
    scale: { domain, nice: false },
    axis: { format, tickCount: 6 },
  };
  const series = ['training', 'validation'].filter((name) => values.some((datum) => datum.series === name));
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: series, range: series.map((name) => SERIES_COLORS[name as Datum['series']]) },
    legend: { orient: 'bottom', direction: 'horizontal', symbolType: 'stroke' },
  };
  const isSeries = (name: string) => ({ filter: { field: 'series', equal: name } });
  return {
    title: { text: title, frame: 'group', offset: 18 },
    width: WIDTH,
    height: HEIGHT,
    data: { values },
    encoding: { x, y, color },
    layer: [
      {
        transform: [isSeries('training')],
        mark: { type: 'line', clip: true, strokeWidth: 2, strokeJoin: 'round', opacity: 0.9 },
      },
      {
        transform: [isSeries('validation')],
        mark: { type: 'line', strokeWidth: 2.5, point: { filled: true, size: 55 } },
      },
    ],
  };
}
