// SPDX-License-Identifier: Apache-2.0
// Weights and checkpoints of any size: above 2 GiB, Node and many a system refuse to read or write in one go. The same bits come
// back, and saving takes one copy of the model beside it, which is measured. Prints one line of JSON; status 1 where it did not
// hold. Where memory or disk are too small, it says so and does nothing.
//
//   node test/soak/files.mjs MIB     of the largest tensor
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [mib] = process.argv.slice(2).map(Number);
const program = fileURLToPath(new URL('big-model.mjs', import.meta.url));
const MEMORY = 4.5; // a model, its state in arrays and in tensors before it is put back, and an array not collected yet
const DISK = 3.5; // two checkpoints and the one that will replace the first
/**
 * Copies that saving may take, and half of one for all else that the process needs: weights one; checkpoints one, and the one before
 * it where V8 has not collected it yet, as of 64 and 128 MiB (2.0). Of 2200 MiB it has (1.0).
 */
const COPIES = { save: 1.5, train: 2.5 };

/** One phase in a process of its own. */
function run(phase, folder) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, phase, String(mib), folder], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${phase} ended with status ${status}: ${stderr}${stdout}`);
  return JSON.parse(stdout);
}

function tooSmall(folder) {
  const { bavail, bsize } = statfsSync(folder);
  const room = { memory: Math.min(freemem(), process.constrainedMemory() || Infinity), disk: bavail * bsize };
  const needs = { memory: MEMORY * mib * 2 ** 20, disk: DISK * mib * 2 ** 20 };
  const lacking = Object.keys(needs).filter((what) => room[what] < needs[what]);
  return lacking.map((what) => `${what} of ${Math.ceil(needs[what] / 2 ** 20)} MiB`).join(', ');
}

const place = mkdtempSync(join(tmpdir(), 'receptive-files-'));
try {
  const skipped = tooSmall(place);
  if (skipped !== '') {
    console.log(JSON.stringify({ mib, skipped: `it needs ${skipped}` }));
  } else {
    const save = run('save', place);
    const load = run('load', place);
    rmSync(join(place, 'heavy.safetensors'));
    const train = run('train', place);
    const resume = run('resume', place);
    const whole = run('whole', place);
    const results = { save, load, train, resume, whole };
    const of = (member) =>
      Object.fromEntries(Object.entries(results).map(([name, result]) => [name, result[member]]));
    const sameBits = [
      save.weightsSha256 === load.weightsSha256,
      resume.weightsSha256 === whole.weightsSha256 && resume.resumedAt === 4,
    ].every(Boolean);
    const ok = sameBits && save.copies < COPIES.save && train.copies < COPIES.train;
    console.log(JSON.stringify({ ok, mib, sameBits, copies: of('copies'), seconds: of('seconds') }));
    if (!ok) process.exitCode = 1;
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
