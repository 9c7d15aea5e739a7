// SPDX-License-Identifier: Apache-2.0
// Tables of text: pure functions.

/** One column of a table. */
export interface Column<Row> {
  readonly title: string;
  /** Numbers stand to the right. */
  readonly isNumber?: boolean;
  /** Shown from so many columns of the terminal on. */
  readonly from: number;
  of(row: Row): string;
}

/** The heading and a line for each row; columns that a terminal of this width has no room for are left out. */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): string[] {
  const shown = columns.filter(({ from }) => width >= from);
  const cells = [
    shown.map(({ title }) => title),
    ...rows.map((row) => shown.map((column) => column.of(row))),
  ];
  const widths = shown.map((_, column) => Math.max(...cells.map((line) => line[column].length)));
  return cells.map((line) =>
    line
      .map((cell, i) => (shown[i].isNumber ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd(),
  );
}
