// SPDX-License-Identifier: Apache-2.0
// Tries a textbook's claim on this library:
//
//   npm run experiment -- NAME [--quick] [--json] [--data-dir DIR] [--seed N] [--threads N] [--out DIR]
//
// Writes NAME.md, NAME.json and NAME.svg. The table goes to standard output (with --json the JSON, as its last line), progress
// to standard error.
import { info, setNumThreads } from 'receptive';
import { UsageError } from '../bench/harness/arguments.mjs';
import { describeMachine } from '../bench/harness/machine.mjs';
import { parseCommandLine, usage } from './harness/arguments.mjs';
import { contextFor } from './harness/context.mjs';
import { clearProgress } from './harness/progress.mjs';
import { reportText, writeReport } from './harness/report.mjs';
import { EXPERIMENT_NAMES, loadExperiment } from './index.mjs';

async function main() {
  const options = parseCommandLine(process.argv.slice(2), EXPERIMENT_NAMES);
  if (options.help) {
    const named = EXPERIMENT_NAMES.map(async (name) => [name, (await loadExperiment(name)).summary]);
    return process.stdout.write(usage(await Promise.all(named)));
  }
  const { name, quick, seed } = options;
  if (options.threads !== undefined) setNumThreads(options.threads);
  const experiment = await loadExperiment(name);
  const begin = performance.now();
  const { svg, ...found } = await experiment.run(contextFor(experiment, options));
  const { isa, threads } = info();
  const seconds = Number(((performance.now() - begin) / 1000).toFixed(1));
  const report = { experiment: name, ...found, quick, seed, threads, isa, seconds, ...describeMachine() };
  const written = await writeReport(options.out, report, svg);
  clearProgress();
  process.stderr.write(`wrote ${written.join(', ')}\n`);
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : reportText(report));
}

try {
  await main();
} catch (error) {
  clearProgress();
  console.error(`experiment: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
