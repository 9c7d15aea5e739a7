// SPDX-License-Identifier: Apache-2.0
// Ends a training with SIGKILL at random moments, again and again, and goes on with it: whatever the moment, a checkpoint loads,
// the weights in the end are those of the training in one go, and what a killed process left unfinished is gone after the next
// start. Prints what happened as one line of JSON; status 1 where any of it did not hold.
//
//   node test/soak/resume.mjs KILLS SEED
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { training } from './kept-training.mjs';

const [kills, seed] = process.argv.slice(2).map(Number);
const program = fileURLToPath(new URL('kept-training.mjs', import.meta.url));
const place = mkdtempSync(join(tmpdir(), 'receptive-resume-'));
const MOMENTS = 150; // ms, in which a training gets through a dozen checkpoints
const STARTS = 0.2; // the share of kills that may come before the training has begun

/** Numbers from 0 to below 1 that follow from a seed (mulberry32). */
function randomNumbers(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const random = randomNumbers(seed);
const unfinishedIn = (folder) => readdirSync(folder).filter((name) => name.includes('.tmp-'));

/** One life of the training; its result, or nothing where it was killed. */
async function live(folder, moment, beforeReady) {
  const left = unfinishedIn(folder);
  const child = spawn(process.execPath, [program, folder], { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  let survived = [];
  const ready = new Promise((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      if (!stdout.includes('ready') && (stdout + text).includes('ready')) {
        const now = unfinishedIn(folder);
        survived = left.filter((name) => now.includes(name));
        resolve();
      }
      stdout += text;
    });
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal })));
  if (moment !== undefined) {
    if (!beforeReady) await Promise.race([ready, ended]);
    await Promise.race([after(moment), ended]);
    child.kill('SIGKILL');
  }
  const { status, signal } = await ended;
  const wasKilled = signal === 'SIGKILL';
  if (stderr !== '' || survived.length > 0 || !(wasKilled || status === 0)) {
    throw new Error(`status ${status ?? signal}, unfinished files left ${survived}: ${stderr}${stdout}`);
  }
  return {
    left: left.length,
    result: wasKilled ? undefined : JSON.parse(stdout.trimEnd().split('\n').at(-1)),
  };
}

try {
  const wanted = (await training()).weightsSha256;
  let [killed, trainings, resumed, unfinished] = [0, 0, 0, 0];
  let sameBits = true;
  for (let folder = join(place, '0'); ; ) {
    mkdirSync(folder, { recursive: true });
    const isLast = killed >= kills;
    const life = await live(folder, isLast ? undefined : random() * MOMENTS, random() < STARTS);
    unfinished += life.left;
    if (life.result === undefined) {
      killed += 1;
      continue;
    }
    trainings += 1;
    if (life.result.resumedAt > 0) resumed += 1;
    if (life.result.weightsSha256 !== wanted) sameBits = false;
    if (isLast) break;
    folder = join(place, String(trainings));
  }
  process.stdout.write(
    `${JSON.stringify({ kills: killed, seed, trainings, resumed, unfinished, sameBits })}\n`,
  );
  if (!sameBits) process.exitCode = 1;
} finally {
  rmSync(place, { recursive: true, force: true });
}
