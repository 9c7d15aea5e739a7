// SPDX-License-Identifier: Apache-2.0
// A peer as one contestant, though some of its settings hold for a whole process: each variant that it offers, under each
// of the settings that fit a task, is a variant here, and its process starts when it is first prepared.
import { Worker } from './worker.mjs';

export class Peer {
  #start;
  #workers = new Map();
  #offers = new Map();
  #current;

  constructor(name, start, settings) {
    this.name = name;
    this.settings = settings;
    this.#start = start;
  }

  /**
   * Starts the first process.
   *
   * @param command program and arguments, as for Worker
   * @param env variables of all processes
   * @param {any[]} settings of { name, env, fits }: `name` is added to those of variants (empty for none), `fits` says for which tasks
   *   the setting is tried; default: one without a name
   * @throws WorkerError, with reason 'missing' if what it needs is not installed
   */
  static async start(name, { command, args, env }, settings = [{ name: '', env: {} }]) {
    const start = (setting) => Worker.start(name, command, args, { ...env, ...setting.env });
    const peer = new Peer(name, start, settings);
    await peer.#use(settings[0]);
    return peer;
  }

  async #use(setting) {
    if (!this.#workers.has(setting)) this.#workers.set(setting, await this.#start(setting));
    this.#current = this.#workers.get(setting);
    return this.#current;
  }

  get about() {
    return this.#workers.get(this.settings[0]).about;
  }

  get pids() {
    return [...this.#workers.values()].flatMap(({ pids }) => pids);
  }

  /** As Worker's. */
  async request(message) {
    if (message.do === 'variants') return this.#variants(message);
    if (message.do !== 'prepare') return this.#current.request(message);
    const { setting, variant } = this.#offers.get(message.variant);
    return (await this.#use(setting)).request({ ...message, variant });
  }

  async #variants(message) {
    const { variants } = await this.#workers.get(this.settings[0]).request(message);
    this.#offers.clear();
    for (const setting of this.settings.filter(({ fits }) => fits?.(message.task) ?? true)) {
      for (const variant of variants) {
        const name = setting.name === '' ? variant : `${variant}, ${setting.name}`;
        this.#offers.set(name, { setting, variant });
      }
    }
    return { variants: [...this.#offers.keys()] };
  }

  async close() {
    await Promise.all([...this.#workers.values()].map((worker) => worker.close()));
  }
}
