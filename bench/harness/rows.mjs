// SPDX-License-Identifier: Apache-2.0
// A row of results: the fields that readers of the JSON file may rely on, in one place, and the file itself.
import { renameSync, writeFileSync } from 'node:fs';

const isText = (value) => typeof value === 'string' && value !== '';
const isNumber = (value) => typeof value === 'number' && Number.isFinite(value);
const isNumberOrNull = (value) => value === null || isNumber(value);
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The contract. Rows may carry more. */
const FIELDS = {
  suite: isText,
  case: isText,
  threads: (value) => Number.isInteger(value) && value > 0,
  isa: isText,
  value: isNumber,
  unit: isText,
  percentOfPeak: isNumberOrNull,
  peers: isObject,
  ratio: isObject,
  date: isText,
  cpu: isText,
  node: isText,
  commit: isText,
};

/** What is wrong with a row, one line for each fault; empty for a good one. */
export function faultsOf(row) {
  if (!isObject(row)) return ['a row is an object'];
  const faults = Object.entries(FIELDS)
    .filter(([field, fits]) => !fits(row[field]))
    .map(([field]) => `${field} is ${JSON.stringify(row[field])}`);
  for (const [name, peer] of Object.entries(isObject(row.peers) ? row.peers : {})) {
    if (!isObject(peer) || !isNumber(peer.value) || !isText(peer.version) || !isText(peer.variant)) {
      faults.push(`peers.${name} is ${JSON.stringify(peer)}`);
    }
  }
  for (const [name, ratio] of Object.entries(isObject(row.ratio) ? row.ratio : {})) {
    if (!isNumber(ratio) || row.peers?.[name] === undefined) faults.push(`ratio.${name} is ${ratio}`);
  }
  return faults;
}

/** Rounded to six significant digits: more is noise, and makes results unreadable. */
function rounded(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

/** Writes the rows as a JSON array. The file is complete at any time: it is replaced, never appended to. */
export function writeRows(file, rows) {
  for (const row of rows) {
    const faults = faultsOf(row);
    if (faults.length > 0) throw new Error(`row ${row.suite} ${row.case}: ${faults.join(', ')}`);
  }
  const fresh = `${file}.${process.pid}.tmp`;
  writeFileSync(fresh, `${JSON.stringify(rows, rounded, 2)}\n`);
  renameSync(fresh, file);
}
