// SPDX-License-Identifier: Apache-2.0
// The command line of `npm run experiment`.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError, wholeNumber } from '../../bench/harness/arguments.mjs';
import { root } from '../../bench/harness/machine.mjs';

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  'data-dir': { type: 'string' },
  seed: { type: 'string', default: '1' },
  threads: { type: 'string' },
  out: { type: 'string', default: path.join(root, 'experiments', 'out') },
  help: { type: 'boolean', short: 'h', default: false },
};

/** The usage text, with the experiments as [name, summary]. */
export function usage(experiments) {
  const width = Math.max(...experiments.map(([name]) => name.length));
  return `usage: npm run experiment -- NAME [options]

experiments:
${experiments.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`).join('\n')}

options:
  --quick          a short form: seconds, on a part of the pictures
  --json           also print what was found as JSON, on the last line
  --data-dir DIR   the folder of MNIST's files; without it, pictures that the library draws
  --seed N         of weights, orders and drawn pictures; default 1
  --threads N      threads that compute; the figures do not depend on it
  --out DIR        where NAME.md, NAME.json and NAME.svg go; default experiments/out
`;
}

/**
 * Reads the command line.
 *
 * @param {string[]} argv
 * @param {readonly string[]} names the experiments that there are
 * @throws UsageError
 */
export function parseCommandLine(argv, names) {
  let parsed;
  try {
    parsed = parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message.split('\n', 1)[0]);
  }
  const { values, positionals } = parsed;
  if (values.help) return { help: true };
  const [name, ...more] = positionals;
  if (name === undefined) throw new UsageError(`name an experiment: ${names.join(', ')}`);
  if (!names.includes(name)) {
    throw new UsageError(`there is no experiment '${name}'; there are ${names.join(', ')}`);
  }
  if (more.length > 0) throw new UsageError(`one experiment at a time; '${more.join(' ')}' is too much`);
  return {
    name,
    quick: values.quick,
    json: values.json,
    dataDir: values['data-dir'],
    seed: wholeNumber('seed', values.seed, 0),
    threads: values.threads === undefined ? undefined : wholeNumber('threads', values.threads, 1),
    out: values.out,
  };
}
