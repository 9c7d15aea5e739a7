// SPDX-License-Identifier: Apache-2.0
// Ctrl-C: the first asks for a clean end, the second is not argued with.

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = keyof typeof EXIT_CODES;

/** Watches for SIGINT and SIGTERM while a command runs. */
export class StopRequest {
  readonly #controller = new AbortController();
  readonly #onSignal: (name: StopSignal) => void;
  #received: StopSignal | undefined;

  /** @param onFirst is told of the first signal */
  constructor(onFirst: () => void) {
    this.#onSignal = (name) => {
      if (this.#received !== undefined) process.exit(EXIT_CODES[name]);
      this.#received = name;
      this.#controller.abort(); // takes the bar away, so that what follows has a line of its own
      onFirst();
    };
    for (const name of Object.keys(EXIT_CODES)) process.on(name, this.#onSignal);
  }

  /** Aborts with the first signal. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit status that the received signal stands for; nothing if none came. */
  get exitCode(): number | undefined {
    return this.#received === undefined ? undefined : EXIT_CODES[this.#received];
  }

  /** Gives the signals back. */
  [Symbol.dispose](): void {
    for (const name of Object.keys(EXIT_CODES)) process.off(name, this.#onSignal);
  }
}
