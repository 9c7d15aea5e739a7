// SPDX-License-Identifier: Apache-2.0
// The command line of `npm run bench`.
import { parseArgs } from 'node:util';
import { PEERS } from './contestants.mjs';

const CONV_ALGORITHMS = ['auto', 'direct', 'winograd'];

const OPTIONS = {
  case: { type: 'string' },
  threads: { type: 'string' },
  peers: { type: 'string' },
  json: { type: 'string' },
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  'block-ms': { type: 'string' },
  'no-compile': { type: 'boolean', default: false },
  algorithm: { type: 'string', default: 'auto' },
  'data-dir': { type: 'string' },
  packed: { type: 'string' },
  list: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

/** What is wrong with the command line, in a line or two. Exit status 2. */
export class UsageError extends Error {}

/** The usage text, with the suites as [name, summary]. */
export function usage(suites) {
  const width = Math.max(...suites.map(([name]) => name.length));
  return `usage: npm run bench -- SUITE [options]

suites:
${suites.map(([name, summary]) => `  ${name.padEnd(width)}  ${summary}`).join('\n')}

options:
  --case REGEX     only the cases whose names match
  --threads N,…    threads of ours and of the peers alike; default: all that the process may use
  --peers A,…      beside ours, in alternating blocks: ${Object.keys(PEERS).join(', ')};
                   all: every one
  --json FILE      also write the rows as a JSON array
  --quick          fewer rounds
  --rounds N       rounds of a case: one block of each contestant; default 15, quick 7
  --block-ms N     length of a block; default 300
  --no-compile     leave out those variants of peers that compile first (torch.compile, XLA)
  --algorithm NAME suite conv: how ours computes, ${CONV_ALGORITHMS.join(', ')}; default auto
  --data-dir DIR   suite fit: the folder of MNIST's files
  --packed FILE    suite feed: CIFAR-10 as receptive data pack writes it; default: generated images
  --list           print the names of the cases
`;
}

/** A whole number from the command line. Throws UsageError. */
export function wholeNumber(name, text, least) {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new UsageError(`--${name} takes a whole number of at least ${least}, not ${text}`);
}

function listOf(text) {
  return (text ?? '').split(',').filter((item) => item !== '');
}

function pattern(text) {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError(`--case: ${error.message}`);
  }
}

/**
 * Reads the command line.
 *
 * @param suiteNames the suites that there are
 * @throws UsageError
 */
export function parseCommandLine(argv, suiteNames) {
  let parsed;
  try {
    parsed = parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message);
  }
  const { values, positionals } = parsed;
  if (values.help) return { help: true };
  const [suite, ...more] = positionals;
  if (suite === undefined) throw new UsageError(`name a suite: ${suiteNames.join(', ')}`);
  if (!suiteNames.includes(suite)) {
    throw new UsageError(`there is no suite '${suite}'; there are ${suiteNames.join(', ')}`);
  }
  if (more.length > 0) throw new UsageError(`one suite at a time; '${more.join(' ')}' is too much`);
  const peers = values.peers === 'all' ? Object.keys(PEERS) : listOf(values.peers);
  const unknown = peers.find((name) => PEERS[name] === undefined);
  if (unknown !== undefined) {
    throw new UsageError(`there is no peer '${unknown}'; there are ${Object.keys(PEERS).join(', ')}`);
  }
  if (!CONV_ALGORITHMS.includes(values.algorithm))
    throw new UsageError(`--algorithm takes ${CONV_ALGORITHMS.join(', ')}, not ${values.algorithm}`);
  if (values.algorithm !== 'auto' && suite !== 'conv')
    throw new UsageError('--algorithm goes with the suite conv');
  if (values['data-dir'] !== undefined && suite !== 'fit')
    throw new UsageError('--data-dir goes with the suite fit');
  if (values.packed !== undefined && suite !== 'feed')
    throw new UsageError('--packed goes with the suite feed');
  return {
    suite,
    peers,
    pattern: pattern(values.case ?? ''),
    threads: listOf(values.threads).map((text) => wholeNumber('threads', text, 1)),
    json: values.json,
    quick: values.quick,
    rounds: values.rounds === undefined ? undefined : wholeNumber('rounds', values.rounds, 1),
    blockMs: values['block-ms'] === undefined ? undefined : wholeNumber('block-ms', values['block-ms'], 1),
    compile: !values['no-compile'],
    algorithm: values.algorithm,
    dataDir: values['data-dir'],
    packed: values.packed,
    list: values.list,
  };
}
