// SPDX-License-Identifier: Apache-2.0
// `receptive summary`: the layers of a model, by name or from a file.
import { summarize } from '../nn/summary.js';
import { count, short } from './format.js';
import { findModel } from './model-file.js';
import { Output, type OutputFlags } from './output.js';

export async function summaryCommand(nameOrPath: string, flags: OutputFlags): Promise<number> {
  const output = new Output(flags);
  const { name, model, inputShape } = await findModel('summary', nameOrPath);
  const layers = summarize(model, inputShape);
  const parameters = layers.reduce((sum, layer) => sum + layer.parameters, 0);
  const multiplyAdds = layers.reduce((sum, layer) => sum + layer.multiplyAdds, 0);
  if (output.isJson) {
    output.json({ model: name, inputShape, layers, parameters, multiplyAdds });
    return 0;
  }
  const { bold, dim } = output.colors;
  output.line(`${bold(name)} for images of ${inputShape.join(' x ')}`);
  output.line();
  const rows = layers.map((layer) => [
    layer.path,
    layer.type,
    `[${['n', ...layer.outputShape.slice(1)].join(', ')}]`,
    layer.parameters === 0 ? '' : count(layer.parameters),
    layer.multiplyAdds === 0 ? '' : short(layer.multiplyAdds),
  ]);
  const [heading, ...lines] = alignColumns([
    ['layer', 'type', 'output', 'parameters', 'multiply-adds'],
    ...rows,
    ['', '', '', count(parameters), short(multiplyAdds)],
  ]);
  output.line(dim(heading));
  lines.forEach((line, i) => {
    output.line(i === rows.length ? bold(line) : line);
  });
  output.line();
  output.line(dim(`multiply-adds for one image; weights take ${short(4 * parameters)}B as float32`));
  return 0;
}

/** Pads the cells of a table; the last two columns are numbers and stand to the right. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const isNumber = (column: number) => column >= widths.length - 2;
  return rows.map((row) =>
    row
      .map((cell, column) => (isNumber(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('   ')
      .trimEnd(),
  );
}
