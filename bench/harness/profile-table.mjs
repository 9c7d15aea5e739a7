// SPDX-License-Identifier: Apache-2.0
// The instructions of a step as a table: time, share of the step, speed, share of the peak.
import { headerLine, percent, rowLine, significant } from './table.mjs';

const COLUMNS = [
  { title: 'instruction', width: 24, of: (row) => row.op },
  { title: 'ms', width: 8, right: true, of: (row) => row.ms.toFixed(4) },
  { title: 'of step', width: 7, right: true, of: (row) => percent(row.share) },
  { title: 'GFLOP/s', width: 8, right: true, of: (row) => (row.gflops ? significant(row.gflops) : '') },
  { title: 'of peak', width: 7, right: true, of: (row) => (row.gflops ? percent(row.percentOfPeak) : '') },
  {
    title: 'parameters',
    width: 0,
    of: (row) => row.numbers.map((value) => Number(value.toFixed(6))).join(' '),
  },
];

/** Prints the profile in the order of execution; sums by instruction and the rest after it. */
export function printProfile(profile) {
  const { name, threads, isa, peak, untimedMs, stepMs, servicesMs, instructions, others } = profile;
  const rows = instructions.map(({ op, numbers, ms, flops }) => {
    const gflops = flops / ms / 1e6;
    return { op, numbers, ms, share: (100 * ms) / stepMs, gflops, percentOfPeak: (100 * gflops) / peak };
  });
  const inAddon = rows.reduce((total, { ms }) => total + ms, 0);
  const rest = [
    { op: '= instructions', ms: inAddon },
    { op: '= allocate, free, copy', ms: servicesMs },
    { op: '= JavaScript', ms: stepMs - inAddon - servicesMs },
    { op: '= step', ms: stepMs },
  ].map(({ op, ms }) => ({ op, ms, numbers: [], share: (100 * ms) / stepMs }));
  console.log(
    `\n${name}, ${threads} thread${threads > 1 ? 's' : ''}, ${isa}, peak ${significant(peak)} GFLOP/s; ${percent(others)} went to other processes`,
  );
  console.log(`${significant(untimedMs)} ms a step on average; medians, with the clock around each call:\n`);
  console.log(headerLine(COLUMNS));
  for (const row of [...rows, ...rest]) console.log(rowLine(COLUMNS, row));
}
