// SPDX-License-Identifier: Apache-2.0
// Asks a server on this machine again and again, over one connection, until it is told to stop; then tells the times.
import { Agent, get } from 'node:http';

const [port, pause] = process.argv.slice(2).map(Number);
const agent = new Agent({ keepAlive: true });
const times = [];
let isOver = false;
process.once('message', () => {
  isOver = true;
});

while (!isOver) {
  const start = performance.now();
  await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, agent }, (response) => response.resume().once('end', resolve)).once(
      'error',
      reject,
    );
  });
  times.push(performance.now() - start);
  await new Promise((resolve) => setTimeout(resolve, pause));
}
process.send(times, () => process.exit());
