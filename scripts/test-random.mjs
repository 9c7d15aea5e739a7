// SPDX-License-Identifier: Apache-2.0
// The long form of what `npm test` tries 50 times: random shapes and options of every operation.
//
//   npm run test:random                              2,000 shapes, a seed of today's
//   npm run test:random -- --runs 2000 --seed 42     the shapes of that seed
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { at, giveUp, root, say, seconds } from './support.mjs';

const whole = /^[1-9]\d*$/;

function readOptions() {
  try {
    return parseArgs({
      options: {
        runs: { type: 'string', default: '2000' },
        seed: { type: 'string', default: String((Date.now() % 1e9) + 1) },
      },
    }).values;
  } catch (error) {
    return giveUp(error.message);
  }
}

const { runs, seed } = readOptions();
for (const number of [runs, seed]) {
  if (!whole.test(number) || Number(number) >= 2 ** 31) {
    giveUp(`expected a whole number above 0 and below 2^31, received ${number}`);
  }
}
say(`${runs} random shapes, seed ${seed}`);
const began = performance.now();
const { status } = spawnSync(
  process.execPath,
  [at('node_modules', 'vitest', 'vitest.mjs'), 'run', 'test/random', '--reporter', 'verbose'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, RECEPTIVE_RANDOM_RUNS: runs, RECEPTIVE_TEST_SEED: seed },
  },
);
say(`${runs} random shapes, seed ${seed}: ${status === 0 ? 'passed' : 'FAILED'} in ${seconds(began)}`);
process.exitCode = status ?? 1;
