// SPDX-License-Identifier: Apache-2.0
// The long forms of what `npm test` proves in short: that training leaks nothing, that workers may end and
// processes be killed at any moment, that files may be of any size.
//
//   npm run soak                                     all suites
//   npm run soak -- --suite memory --steps 100000    LeNet-5: counts exactly flat, the process within 10 MiB
//   npm run soak -- --suite workers --terminations 800 --seed 1
//   npm run soak -- --suite resume --kills 200 --seed 1      trainings killed and gone on with: the same bits
//   npm run soak -- --suite files --mib 2200                 weights and checkpoints above 2 GiB: the same bits, one copy
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { at, giveUp, say } from './support.mjs';

const SUITES = ['memory', 'workers', 'resume', 'files'];
const whole = /^[1-9]\d*$/;

function readOptions() {
  try {
    return parseArgs({
      options: {
        suite: { type: 'string' },
        steps: { type: 'string', default: '100000' },
        terminations: { type: 'string', default: '800' },
        kills: { type: 'string', default: '200' },
        mib: { type: 'string', default: '2200' },
        seed: { type: 'string', default: String((Date.now() % 1e9) + 1) },
      },
    }).values;
  } catch (error) {
    return giveUp(error.message);
  }
}

const { suite, steps, terminations, kills, mib, seed } = readOptions();
if (suite !== undefined && !SUITES.includes(suite)) giveUp(`--suite must be one of ${SUITES.join(', ')}`);
for (const number of [steps, terminations, kills, mib, seed]) {
  if (!whole.test(number)) giveUp(`expected a whole number above 0, received ${number}`);
}
const args = { memory: [steps], workers: [terminations, seed], resume: [kills, seed], files: [mib] };
let failures = 0;
for (const name of suite === undefined ? SUITES : [suite]) {
  say(`soak: ${name} ${args[name].join(' ')}, Node ${process.versions.node}`);
  const { status, signal } = spawnSync(process.execPath, [at('test', 'soak', `${name}.mjs`), ...args[name]], {
    stdio: 'inherit',
  });
  if (status !== 0) failures += 1;
  say(`soak: ${name} ended with status ${signal ?? status}`);
}
process.exitCode = failures > 0 ? 1 : 0;
