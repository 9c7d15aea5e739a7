// SPDX-License-Identifier: Apache-2.0
// What killed processes leave beside a file is taken away; what living ones are writing is not.
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { isTemporary, removeStale, temporaryName } from '../../lib/io/temporary-name.js';
import { runChild } from '../helpers/child.js';

const place = mkdtempSync(join(tmpdir(), 'receptive-temporary-'));
afterAll(() => rmSync(place, { recursive: true, force: true }));
const target = join(place, 'the set.pack');

/** The number of a process that has ended. */
const ended = () => Number(runChild('console.log(process.pid)').stdout);

it("takes away what is surely nobody's, beside this file alone", async () => {
  const mine = basename(temporaryName(target));
  expect([isTemporary(mine), isTemporary('the set.pack')]).toEqual([true, false]);
  expect(dirname(temporaryName(target))).toBe(place);
  const of = (pid: number, name = mine) => name.replace(`tmp-${process.pid}-`, `tmp-${pid}-`);
  const elsewhere = (name: string) =>
    name.replace(/-(....)(.{8})$/, (_, here, random) => `-${here === '0000' ? '1' : '0'}000${random}`);
  const dead = ended();
  const week = Date.now() / 1000 - 8 * 24 * 3600;
  const kept = [
    mine,
    of(process.ppid),
    elsewhere(of(dead)),
    of(dead).replace('the set', 'another set'),
    '.the set.pack.tmp-1-notes',
    'the set.pack',
  ];
  const stale = [of(dead), of(process.pid, mine.replace(/.{8}$/, '00000000'))];
  const abandoned = [of(process.ppid), elsewhere(of(dead))].map((name) => name.replace(/.{8}$/, '11111111'));
  for (const name of [...kept, ...stale, ...abandoned]) writeFileSync(join(place, name), '');
  const began = Date.now() / 1000 - process.uptime();
  utimesSync(join(place, stale[1]), began - 1, began - 1); // by a process before, of the same number
  for (const name of abandoned) utimesSync(join(place, name), week, week);
  await removeStale(target);
  expect(readdirSync(place).sort()).toEqual(kept.sort());
});
