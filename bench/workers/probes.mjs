// SPDX-License-Identifier: Apache-2.0
// What a server does beside a training: answers HTTP requests, reads files, derives keys. Each probe tells how long its
// calls took, in ms.
import { fork } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { quantile } from '../harness/statistics.mjs';

const FILE_BYTES = 64 * 1024;
const KEY_ROUNDS = 1000;
const PAUSE_MS = 20; // between two calls of a probe: 50 calls a second

const summary = (times) => ({ count: times.length, p50: quantile(times, 0.5), p99: quantile(times, 0.99) });

/** Calls `body` again and again until it is told to stop; the times of its calls. */
function repeat(body) {
  const times = [];
  let isOver = false;
  const running = (async () => {
    while (!isOver) {
      const start = performance.now();
      await body();
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })();
  return async () => {
    isOver = true;
    await running;
    return summary(times);
  };
}

/** Requests from a process of its own, so that the times are those of a caller. */
async function probeHttp() {
  const server = createServer((_, response) => response.end('{"ok":true}'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = fork(fileURLToPath(new URL('http-client.mjs', import.meta.url)), [
    server.address().port,
    PAUSE_MS,
  ]);
  return async () => {
    const times = await new Promise((resolve) => {
      client.once('message', resolve);
      client.send('stop');
    });
    server.closeAllConnections();
    server.close();
    return summary(times);
  };
}

/** Starts all probes. The function returned ends them and gives { http, readFile, pbkdf2 }. */
export async function startProbes() {
  const folder = await mkdtemp(join(tmpdir(), 'receptive-latency-'));
  const file = join(folder, 'file');
  await writeFile(file, Buffer.alloc(FILE_BYTES, 1));
  const derive = promisify(pbkdf2);
  const ends = {
    http: await probeHttp(),
    readFile: repeat(() => readFile(file)),
    pbkdf2: repeat(() => derive('secret', 'salt', KEY_ROUNDS, 32, 'sha256')),
  };
  return async () => {
    const results = {};
    for (const [name, end] of Object.entries(ends)) results[name] = await end();
    await rm(folder, { recursive: true });
    return results;
  };
}
