// SPDX-License-Identifier: Apache-2.0
// What the loss made of rising learning rates: each step, the smoothed line, and the rate that is suggested.
import type { TopLevelSpec } from 'vega-lite';
import { COLORS, renderSvg } from './vega.js';

/** What is drawn: as `findLearningRate` gives it. */
export interface LearningRatePicture {
  readonly title: string;
  readonly rates: readonly number[];
  readonly losses: readonly number[];
  readonly smoothed: readonly number[];
  readonly suggestion?: number | undefined;
}

/** Losses above this many times the largest of the smoothed line, before it runs away, are cut off. */
const HEADROOM = 1.25;

/** The picture as SVG text. */
export function learningRatesSvg(picture: LearningRatePicture): Promise<string> {
  const { title, rates, losses, smoothed, suggestion } = picture;
  const top = HEADROOM * Math.max(smoothed[0] ?? 1, ...smoothed.slice(0, Math.ceil(smoothed.length / 2)));
  const values = rates.map((rate, i) => ({ rate, loss: losses[i], smoothed: smoothed[i] }));
  const x = {
    field: 'rate',
    type: 'quantitative',
    title: 'learning rate',
    scale: { type: 'log', nice: false },
    axis: { grid: false, format: '~e', tickCount: 8 },
  };
  const y = (field: string) => ({
    field,
    type: 'quantitative',
    title: 'loss',
    scale: { domain: [0, top], nice: true, clamp: false },
    axis: { format: '~g' },
  });
  const mark = [
    {
      data: { values: [{ rate: suggestion, text: `${suggestion?.toPrecision(2)}` }] },
      layer: [
        { mark: { type: 'rule', color: COLORS.orange, strokeWidth: 2, strokeDash: [5, 4] }, encoding: { x } },
        {
          mark: { type: 'text', align: 'left', baseline: 'top', dx: 6, color: COLORS.orange, fontSize: 12 },
          encoding: { x, y: { value: 0 }, text: { field: 'text' } },
        },
      ],
    },
  ];
  return renderSvg({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, fontSize: 16 },
    width: 560,
    height: 280,
    layer: [
      {
        data: { values },
        mark: { type: 'circle', color: COLORS.blue, opacity: 0.35, size: 18, clip: true },
        encoding: { x, y: y('loss') },
      },
      {
        data: { values },
        mark: { type: 'line', color: COLORS.blue, strokeWidth: 2.5, clip: true },
        encoding: { x, y: y('smoothed') },
      },
      ...(suggestion === undefined ? [] : mark),
    ],
  } as unknown as TopLevelSpec);
}
