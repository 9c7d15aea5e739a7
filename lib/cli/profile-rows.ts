// SPDX-License-Identifier: Apache-2.0
// Rows of a profile as a table shows them: the same operation on tensor after tensor is one row.
import type { ProfileRow } from '../train/profile.js';

/** The largest of these names the way and the hint of their row. */
function joined(rows: readonly ProfileRow[]): ProfileRow {
  const sum = (of: (row: ProfileRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  const longest = rows.reduce((a, b) => (b.us > a.us ? b : a));
  const [us, flops, bytes] = [sum((row) => row.us), sum((row) => row.flops), sum((row) => row.bytes)];
  return {
    ...longest,
    op: rows.length > 1 ? `${longest.op} x${rows.length}` : longest.op,
    us,
    flops,
    bytes,
    gflops: us > 0 ? flops / us / 1e3 : 0,
    gbPerSecond: us > 0 ? bytes / us / 1e3 : 0,
    share: us > 0 ? sum((row) => row.share * row.us) / us : 0,
  };
}

/** Neighbours of one layer, pass and operation as one row, `op x3`: times, bytes and operations are sums. */
export function withoutRepeats(rows: readonly ProfileRow[]): ProfileRow[] {
  const runs: ProfileRow[][] = [];
  for (const row of rows) {
    const last = runs.at(-1)?.[0];
    const isSame = last?.layer === row.layer && last.op === row.op && last.pass === row.pass;
    if (isSame) runs.at(-1)?.push(row);
    else runs.push([row]);
  }
  return runs.map(joined);
}
