// SPDX-License-Identifier: Apache-2.0
// `receptive summary`: the layers of a model, by name or from a file.
import { createModel, modelNames } from '../models/registry.js';
import { type LayerSummary, summarize } from '../nn/summary.js';
import { withoutMemory } from '../nn/without-memory.js';
import { bytes, count, short } from './format.js';
import { findModel } from './model-file.js';
import { Output, type OutputFlags } from './output.js';
import { type Column, formatTable } from './table.js';

/** A line of the table: a layer, or all of them together. */
type Line = Pick<LayerSummary, 'path' | 'type' | 'parameters' | 'multiplyAdds' | 'outputBytes'> &
  Partial<LayerSummary>;

export async function summaryCommand(nameOrPath: string, flags: OutputFlags): Promise<number> {
  const output = new Output(flags);
  const { name, inputShape, layers } = await describeModel(nameOrPath);
  const total = (of: (layer: LayerSummary) => number) => layers.reduce((sum, layer) => sum + of(layer), 0);
  const totals = {
    parameters: total(({ parameters }) => parameters),
    multiplyAdds: total(({ multiplyAdds }) => multiplyAdds),
    outputBytes: total(({ outputBytes }) => outputBytes),
  };
  if (output.isJson) {
    output.json({ model: name, inputShape, layers, ...totals, weightBytes: 4 * totals.parameters });
    return 0;
  }
  const { bold, dim } = output.colors;
  output.line(`${bold(name)} for images of ${inputShape.join(' x ')}`);
  output.line();
  const rows: Line[] = [...layers, { path: '', type: '', ...totals }];
  const [heading, ...lines] = tableOf(rows, output.stream.columns ?? Number.POSITIVE_INFINITY);
  output.line(dim(heading));
  lines.forEach((line, i) => {
    output.line(i === layers.length ? bold(line) : line);
  });
  output.line();
  const notes = [
    `weights take ${bytes(4 * totals.parameters)} as float32; output: memory for one image`,
    'MACs: multiply-adds for one image; field: side of the part of the image that one output sees,',
    'step: how far the fields of neighbours are apart (stride), pad: how far they reach outside (padding)',
  ];
  for (const note of notes) output.line(dim(note));
  return 0;
}

/** A model by name needs no memory, however large it is: it is looked at only. */
async function describeModel(nameOrPath: string) {
  if (!modelNames.includes(nameOrPath)) {
    const { name, model, inputShape } = await findModel('summary', nameOrPath);
    return { name, inputShape, layers: summarize(model, inputShape) };
  }
  return withoutMemory(() => {
    const { name, model, inputShape } = createModel(nameOrPath);
    return { name, inputShape, layers: summarize(model, inputShape) };
  });
}

/** A number for both axes where they are the same; a fraction with one digit. */
function pair([h, w]: readonly [number, number]): string {
  const text = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1));
  return h === w ? text(h) : `${text(h)}x${text(w)}`;
}

const blank = (value: number, text: (value: number) => string) => (value === 0 ? '' : text(value));

const COLUMNS: readonly Column<Line>[] = [
  { title: 'layer', from: 0, of: ({ path }) => path },
  { title: 'type', from: 0, of: ({ type }) => type },
  { title: 'shape', from: 0, of: ({ outputShape = [] }) => outputShape.slice(1).join('x') },
  { title: 'parameters', from: 0, isNumber: true, of: ({ parameters }) => blank(parameters, count) },
  { title: 'MACs', from: 0, isNumber: true, of: ({ multiplyAdds }) => blank(multiplyAdds, short) },
  {
    title: 'output',
    from: 90,
    isNumber: true,
    of: ({ outputBytes }) => blank(outputBytes, bytes),
  },
  { title: 'field', from: 0, isNumber: true, of: (line) => field(line, 'size') },
  { title: 'step', from: 90, isNumber: true, of: (line) => field(line, 'stride') },
  { title: 'pad', from: 90, isNumber: true, of: (line) => field(line, 'padding') },
];

/** A dash where a field is not known; nothing for the stride of a single output. */
function field({ receptiveField, outputShape }: Line, part: 'size' | 'stride' | 'padding'): string {
  if (receptiveField === undefined) return '';
  if (receptiveField === null) return '-';
  if (part === 'stride' && outputShape?.length === 2) return '';
  return pair(receptiveField[part]);
}

/** The table for a terminal of so many columns. */
export function tableOf(lines: readonly Line[], width: number): string[] {
  return formatTable(COLUMNS, lines, width);
}
