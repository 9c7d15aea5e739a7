// SPDX-License-Identifier: Apache-2.0
// The worker's end of the protocol (peers/protocol.py is the same in Python): one JSON request a line, one reply a line.
import { createInterface } from 'node:readline';

/** A refusal that the runner understands; `reason` as in harness/worker.mjs. */
export class Refusal extends Error {
  constructor(reason, message) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Answers requests until standard input ends.
 *
 * @param handlers request name → function of the request that returns (or resolves with) the reply
 */
export function serve(handlers) {
  const lines = createInterface({ input: process.stdin });
  let queue = Promise.resolve();
  const answer = async (line) => {
    let reply;
    try {
      const request = JSON.parse(line);
      const handler = handlers[request.do];
      if (handler === undefined) throw new Refusal('unsupported', `no request ${request.do}`);
      reply = await handler(request);
    } catch (error) {
      reply = { error: error.message, reason: error.reason ?? 'failed' };
    }
    process.stdout.write(`${JSON.stringify(reply ?? {})}\n`);
  };
  lines.on('line', (line) => {
    queue = queue.then(() => answer(line));
  });
}
