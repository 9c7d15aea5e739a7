// SPDX-License-Identifier: Apache-2.0
// What a command says, and where: people read lines, programs read one JSON object at the end of standard output.
import pc from 'picocolors';

/** Flags that every command has. */
export interface OutputFlags {
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** With `--json` standard output is for the object alone, and everything else goes to standard error. */
export class Output {
  readonly stream: NodeJS.WriteStream;
  readonly colors: ReturnType<typeof pc.createColors>;
  readonly isJson: boolean;
  readonly isQuiet: boolean;

  constructor(flags: OutputFlags) {
    this.isJson = flags.json === true;
    this.isQuiet = flags.quiet === true;
    this.stream = this.isJson ? process.stderr : process.stdout;
    this.colors = pc.createColors(hasColors(this.stream));
  }

  /** True where a line can be redrawn. */
  get isTerminal(): boolean {
    return this.stream.isTTY === true && process.env.TERM !== 'dumb';
  }

  /** A line about what is going on; `--quiet` silences it. */
  progress(text = ''): void {
    if (!this.isQuiet) this.stream.write(`${text}\n`);
  }

  /** A line of the result for people. */
  line(text = ''): void {
    this.stream.write(`${text}\n`);
  }

  /** The result for programs; nothing without `--json`. */
  json(result: object): void {
    if (this.isJson) process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

/** Colours where a person looks, unless NO_COLOR (https://no-color.org) or a dumb terminal says otherwise. */
function hasColors(stream: NodeJS.WriteStream): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return stream.isTTY === true && TERM !== 'dumb';
}
