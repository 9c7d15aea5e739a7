// SPDX-License-Identifier: Apache-2.0
// Measures the library, alone or beside its peers:
//
//   npm run bench -- SUITE [--case REGEX] [--threads N] [--peers a,b] [--json FILE]
//
// The table goes to standard output, progress and remarks to standard error.
import os from 'node:os';
import { parseCommandLine, UsageError, usage } from './harness/arguments.mjs';
import { FULL, QUICK } from './harness/compare.mjs';
import { describeMachine } from './harness/machine.mjs';
import { writeRows } from './harness/rows.mjs';
import { columnsFor, headerLine, rowLine } from './harness/table.mjs';
import { loadSuite, SUITE_NAMES } from './suites/index.mjs';

const unique = (values) => [...new Set(values)];

/** What a suite is run with: its options, and where its rows and remarks go. */
function contextFor(options, { beside = [] }) {
  const columns = columnsFor(unique([...beside, ...options.peers]));
  const machine = describeMachine();
  const rows = [];
  const said = new Set();
  const isTerminal = process.stderr.isTTY;
  const clearProgress = () => isTerminal && process.stderr.write('\r\x1b[K');
  const plan = { ...(options.quick ? QUICK : FULL) };
  plan.rounds = options.rounds ?? plan.rounds;
  plan.blockMs = options.blockMs ?? plan.blockMs;

  return {
    ...options,
    plan,
    machine,
    threadCounts({ withOne = false, withSpare = false } = {}) {
      if (options.threads.length > 0) return options.threads;
      const all = Number(process.env.RECEPTIVE_THREADS) || os.availableParallelism();
      if (withSpare && all > 1) return [all - 1, all]; // one core for others, and none
      return withOne && all > 1 ? [1, all] : [all];
    },
    progress(text) {
      if (isTerminal) process.stderr.write(`\r\x1b[K${text}`);
    },
    note(text) {
      clearProgress();
      process.stderr.write(`${text}\n`);
    },
    noteOnce(text) {
      if (!said.has(text)) this.note(text);
      said.add(text);
    },
    row(measured) {
      const row = { suite: options.suite, ...measured, ...machine };
      clearProgress();
      if (rows.length === 0) console.log(`\n${headerLine(columns)}`);
      console.log(rowLine(columns, row));
      rows.push(row);
      if (options.json !== undefined) writeRows(options.json, rows);
    },
    end() {
      clearProgress();
      if (options.json !== undefined) writeRows(options.json, rows);
      const versions = new Map(
        rows.flatMap(({ peers }) => Object.entries(peers).map(([name, { version }]) => [name, version])),
      );
      const most = (field) => `${Math.max(0, ...rows.map((row) => row[field] ?? 0)).toFixed(1)} %`;
      const parts = [...versions].map(([name, version]) => `${name} ${version}`);
      if (rows.length > 0) {
        parts.push(`in a case the host took at most ${most('steal')}, other processes ${most('others')}`);
      }
      if (parts.length > 0) console.log(`\n${parts.join(', ')}`);
    },
  };
}

async function main() {
  const options = parseCommandLine(process.argv.slice(2), SUITE_NAMES);
  if (options.help) {
    const suites = await Promise.all(
      SUITE_NAMES.map(async (name) => [name, (await loadSuite(name)).summary]),
    );
    return process.stdout.write(usage(suites));
  }
  const suite = await loadSuite(options.suite);
  const names = suite.caseNames().filter((name) => options.pattern.test(name));
  if (names.length === 0) {
    throw new UsageError(`no case of ${options.suite} matches; there are ${suite.caseNames().join(', ')}`);
  }
  if (suite.alone && options.peers.length > 0) throw new UsageError(`${options.suite} takes no peers`);
  if (options.list) return console.log(names.join('\n'));
  const context = contextFor(options, suite);
  const { cpu, cores, node, commit, date } = context.machine;
  const load = os.loadavg()[0].toFixed(2);
  console.log(`${cpu}, ${cores} cores, load ${load}; Node ${node}, commit ${commit}, ${date}`);
  await suite.run(context, names);
  context.end();
}

try {
  await main();
} catch (error) {
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  console.error(`bench: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
