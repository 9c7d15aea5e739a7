// SPDX-License-Identifier: Apache-2.0
// `receptive profile`: where the time of a captured training step goes, beside what this machine could do at best.
import { setNumThreads } from '../native/bindings.js';
import { type Profile, type ProfileRow, profileTraining } from '../train/profile.js';
import { count, percent, plural } from './format.js';
import { findModel } from './model-file.js';
import { Output, type OutputFlags } from './output.js';
import { withoutRepeats } from './profile-rows.js';
import { type Column, formatTable } from './table.js';

export const SORT_NAMES = ['order', 'time'] as const;

/** The options as program.ts reads them. */
export interface ProfileFlags extends OutputFlags {
  readonly model: string;
  readonly batchSize: number;
  readonly sort: (typeof SORT_NAMES)[number];
  readonly threads?: number;
}

export async function profileCommand(flags: ProfileFlags): Promise<number> {
  const output = new Output(flags);
  if (flags.threads !== undefined) setNumThreads(flags.threads);
  const { name, model, inputShape, classes } = await findModel('profile', flags.model);
  const profile = profileTraining(model, inputShape, classes, flags.batchSize);
  const inOrder = (rows: readonly ProfileRow[]) =>
    flags.sort === 'time' ? [...rows].sort((a, b) => b.us - a.us) : rows;
  if (output.isJson) {
    const rows = inOrder(profile.rows);
    output.json({ model: name, inputShape, ...profile, rows, totals: totalsOf(profile) });
    return 0;
  }
  const { bold, dim } = output.colors;
  output.line(
    `${bold(name)}, batch ${flags.batchSize}, ${plural(profile.threads, 'thread')}, ${profile.isa}: ` +
      `peak ${count(profile.peakGflops)} GFLOP/s, memory ${count(profile.peakGbPerSecond)} GB/s`,
  );
  output.line(
    dim(`medians of ${plural(profile.steps, 'step')}; of bound: the time at the peak or at full bandwidth`),
  );
  output.line();
  const [heading, ...lines] = tableOf(
    inOrder(withoutRepeats(profile.rows)),
    profile.stepUs,
    output.stream.columns ?? Number.POSITIVE_INFINITY,
  );
  output.line(dim(heading));
  for (const line of lines) output.line(line);
  output.line();
  for (const [pass, us] of Object.entries(totalsOf(profile))) {
    output.line(
      `${pass.padEnd(10)}${count(us).padStart(10)} µs ${percent(us / profile.stepUs, 1).padStart(8)}`,
    );
  }
  output.line(bold(`${'step'.padEnd(10)}${count(profile.stepUs).padStart(10)} µs`));
  return 0;
}

/** µs by pass; `rest` is what a step takes between its instructions. */
function totalsOf({ rows, stepUs, sumUs }: Profile): Record<string, number> {
  const of = (pass: ProfileRow['pass']) =>
    rows.filter((row) => row.pass === pass).reduce((sum, row) => sum + row.us, 0);
  return {
    forward: of('forward'),
    backward: of('backward'),
    update: of('update'),
    rest: Math.max(0, stepUs - sumUs),
  };
}

const blank = (text: string, isShown: boolean) => (isShown ? text : '');

/** Cells of a table that fits into `width`: what is less needed is left out of a narrow one, hints are cut. */
export function tableOf(rows: readonly ProfileRow[], stepUs: number, width: number): string[] {
  const columns: Column<ProfileRow>[] = [
    { title: 'layer', from: 0, of: ({ layer }) => layer },
    { title: 'operation', from: 0, of: ({ op }) => op },
    { title: 'µs', from: 0, isNumber: true, of: ({ us }) => (us < 10 ? us.toFixed(1) : count(us)) },
    { title: 'of step', from: 100, isNumber: true, of: ({ us }) => percent(us / stepUs, 1) },
    { title: 'GFLOP/s', from: 0, isNumber: true, of: ({ gflops }) => blank(gflops.toFixed(1), gflops > 0) },
    { title: 'MB', from: 100, isNumber: true, of: ({ bytes }) => (bytes / 1e6).toFixed(bytes < 1e6 ? 3 : 1) },
    { title: 'of bound', from: 0, isNumber: true, of: ({ share }) => percent(share, 0) },
    { title: 'bound', from: 100, of: ({ bound }) => bound },
    { title: 'way', from: 100, of: ({ algorithm }) => algorithm },
    { title: 'hint', from: 110, of: ({ hint }) => hint },
  ];
  return formatTable(columns, rows, width).map((line) => line.slice(0, Math.max(width, 80)));
}
