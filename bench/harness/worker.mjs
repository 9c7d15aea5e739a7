// SPDX-License-Identifier: Apache-2.0
// A contestant in a process of its own: requests and replies are lines of JSON on its standard input and output.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A reply that is an error: `reason` is 'missing' (not installed), 'unsupported' (cannot do the task) or 'failed'. */
export class WorkerError extends Error {
  constructor(name, reason, message) {
    super(message);
    this.name = 'WorkerError';
    this.worker = name;
    this.reason = reason;
  }
}

const KEPT_ERROR_LINES = 12;

/** The process. One request at a time. */
export class Worker {
  #child;
  #pending = null;
  #lastErrors = [];
  #ended = null;
  /** The reply to the greeting. */
  about = {};

  constructor(name, command, args, env) {
    this.name = name;
    this.#child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => this.#end('missing', `${command}: ${error.message}`));
    this.#child.on('close', (code, signal) => {
      const said = this.#lastErrors.join('\n');
      this.#end('failed', `process of ${name} ended (${signal ?? code})${said === '' ? '' : `: ${said}`}`);
    });
    this.#child.stdin.on('error', () => {}); // the process has ended; `close` says so
    createInterface({ input: this.#child.stdout }).on('line', (line) => this.#receive(line));
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      this.#lastErrors = [...this.#lastErrors, line].slice(-KEPT_ERROR_LINES);
    });
  }

  /**
   * Starts a process and waits for its greeting, whose fields (`version` …) become `worker.about`.
   *
   * @throws WorkerError, with reason 'missing' if what it needs is not installed
   */
  static async start(name, command, args, env = {}) {
    const worker = new Worker(name, command, args, env);
    try {
      worker.about = await worker.request({ do: 'hello' });
    } catch (error) {
      worker.close();
      throw error;
    }
    return worker;
  }

  #end(reason, message) {
    this.#ended ??= new WorkerError(this.name, reason, message);
    this.#pending?.reject(this.#ended);
    this.#pending = null;
  }

  #receive(line) {
    let reply;
    try {
      reply = JSON.parse(line);
    } catch {
      reply = { error: `not JSON: ${line.slice(0, 200)}`, reason: 'failed' };
    }
    const pending = this.#pending;
    this.#pending = null;
    if (reply.error === undefined) return pending?.resolve(reply);
    pending?.reject(new WorkerError(this.name, reply.reason ?? 'failed', reply.error));
  }

  get pid() {
    return this.#child.pid;
  }

  get pids() {
    return [this.pid];
  }

  /** Sends a request and resolves with the reply. */
  request(message) {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    if (this.#pending !== null) return Promise.reject(new Error(`${this.name} is busy`));
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#child.stdin.write(`${JSON.stringify(message)}\n`);
    });
  }

  /** Ends the process; resolves when it has gone. */
  close() {
    return new Promise((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) {
        return resolve();
      }
      this.#child.once('close', resolve);
      this.#child.kill();
    });
  }
}
