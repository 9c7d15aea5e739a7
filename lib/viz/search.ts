// SPDX-License-Identifier: Apache-2.0
// A search as a picture: what share of the spread of the scores each choice explains, and the scores against its values.
import type { TopLevelSpec } from 'vega-lite';
import { COLORS, renderSvg } from './vega.js';

type Value = number | string | boolean;

/** What is drawn. */
export interface SearchPicture {
  readonly title: string;
  /** The choices, those that matter most first. */
  readonly effects: readonly {
    readonly name: string;
    readonly share: number;
    readonly scale: 'log' | 'linear' | 'list';
    readonly groups: readonly { readonly values: readonly Value[]; readonly mean: number }[];
  }[];
  /** A point for each trial. */
  readonly scores: readonly {
    readonly trial: number;
    readonly score: number;
    readonly values: Readonly<Record<string, Value>>;
  }[];
  readonly best?: number | undefined;
  readonly baseline?: number | undefined;
}

const COLUMNS = 4;
const MOST_PANELS = 12;
const SIZE = 150;
const OTHER = 'trial';
const BEST = 'best';
const BASELINE = 'baseline';
/** Scores below this share of all are cut off at the foot of a panel: a few that learnt nothing would flatten the rest. */
const CUT = 0.15;

/** The picture as SVG text: bars of shares, and a panel for each of the first twelve choices. */
export async function searchSvg(picture: SearchPicture): Promise<string> {
  const effects = picture.effects.slice(0, MOST_PANELS);
  const domain = scoreDomain(picture.scores.map(({ score }) => score));
  const rows: object[] = [];
  for (let first = 0; first < effects.length; first += COLUMNS) {
    const panels = effects.slice(first, first + COLUMNS).map((effect) => panel(picture, effect, domain));
    rows.push({ hconcat: panels, spacing: 64, bounds: 'flush' });
  }
  return renderSvg({
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: picture.title, fontSize: 16 },
    spacing: 36,
    vconcat: [bars(picture), ...rows],
    resolve: { scale: { x: 'independent', color: 'shared' }, legend: { color: 'shared' } },
  } as unknown as TopLevelSpec);
}

function bars({ effects }: SearchPicture) {
  const values = effects.map(({ name, share }) => ({ name, share, text: percentText(share) }));
  const y = {
    field: 'name',
    type: 'nominal',
    sort: null,
    title: null,
    axis: { grid: false, labelLimit: 240 },
  };
  const x = {
    field: 'share',
    type: 'quantitative',
    title: null,
    scale: { domain: [0, Math.max(0.1, ...values.map(({ share }) => share))] },
    axis: { format: '.0~%', tickCount: 5 },
  };
  return {
    title: { text: 'Share of the spread of scores that a choice explains by itself', frame: 'group' },
    width: COLUMNS * SIZE + (COLUMNS - 1) * 64,
    height: { step: 20 },
    data: { values },
    encoding: { x, y },
    layer: [
      { mark: { type: 'bar', color: COLORS.blue, height: 12 } },
      {
        mark: { type: 'text', align: 'left', dx: 5, color: '#4a4f57' },
        encoding: { text: { field: 'text' } },
      },
    ],
  };
}

const percentText = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

function panel(picture: SearchPicture, effect: SearchPicture['effects'][number], domain: [number, number]) {
  const { name, share, scale } = effect;
  const values = picture.scores
    .filter((row) => Object.hasOwn(row.values, name))
    .map(({ trial, score, values: chosen }) => ({
      value: scale === 'list' ? String(chosen[name]) : chosen[name],
      score: Math.max(score, domain[0]),
      kind: trial === picture.best ? BEST : trial === picture.baseline ? BASELINE : OTHER,
    }));
  const means = effect.groups.map((group) => ({
    value: scale === 'list' ? String(group.values[0]) : group.values[0],
    to: group.values[group.values.length - 1],
    mean: Math.max(group.mean, domain[0]),
  }));
  const x =
    scale === 'list'
      ? { type: 'nominal', sort: means.map(({ value }) => value), axis: { grid: false, labelAngle: 0 } }
      : {
          type: 'quantitative',
          scale: { type: scale, nice: false, padding: 8, ...(scale === 'linear' && { zero: false }) },
          axis: { grid: false, tickCount: 3, format: '~g' },
        };
  const kinds = [OTHER, BASELINE, BEST];
  const color = {
    field: 'kind',
    type: 'nominal',
    scale: { domain: kinds, range: [COLORS.blue, COLORS.green, COLORS.orange] },
    legend: { orient: 'bottom', direction: 'horizontal', symbolType: 'circle' },
  };
  const y = (field: string) => ({
    field,
    type: 'quantitative',
    title: null,
    scale: { domain, nice: false, zero: false },
    axis: { format: '.1~%', tickCount: 4 },
  });
  return {
    title: { text: `${name}  ${percentText(share)}`, frame: 'group', fontSize: 12, offset: 10 },
    width: SIZE,
    height: SIZE,
    layer: [
      {
        data: { values: means },
        mark:
          scale === 'list'
            ? { type: 'tick', orient: 'horizontal', color: COLORS.grey, thickness: 2, width: 26 }
            : { type: 'rule', color: COLORS.grey, strokeWidth: 2 },
        encoding: {
          x: { ...x, field: 'value', title: null },
          ...(scale !== 'list' && { x2: { field: 'to' } }),
          y: y('mean'),
        },
      },
      {
        data: { values },
        mark: { type: 'circle', size: 42 },
        encoding: {
          x: { ...x, field: 'value', title: null },
          y: y('score'),
          color,
          opacity: { condition: { test: `datum.kind === '${OTHER}'`, value: 0.6 }, value: 1 },
          order: { condition: { test: `datum.kind === '${OTHER}'`, value: 0 }, value: 1 },
        },
      },
    ],
  };
}

/** From a little below all but the worst scores to a little above the best. */
function scoreDomain(scores: readonly number[]): [number, number] {
  const order = [...scores].sort((a, b) => a - b);
  const low = order[Math.floor(order.length * CUT)] ?? 0;
  const high = order[order.length - 1] ?? 1;
  const margin = Math.max(0.005, (high - low) / 8);
  return [Math.max(0, low - margin), Math.min(1, high + margin)];
}
