// SPDX-License-Identifier: Apache-2.0
// The JSON of safetensors headers, and no more of it: objects, arrays, strings and whole numbers. JSON.parse would take
// a name that comes twice, give `__proto__` a meaning, and round large offsets; here all three are refused or harmless.

/** A value of a header. Objects are maps, so that no name means anything. */
export type HeaderValue = string | number | readonly HeaderValue[] | ReadonlyMap<string, HeaderValue>;

/** What is wrong with a header, and at which character. */
export class HeaderSyntaxError extends Error {}

const MAX_DEPTH = 8;
const SPACE = /[ \t\n\r]*/y;
const LONE_SURROGATE = /\p{Surrogate}/u;
const WHOLE_NUMBER = /0|[1-9][0-9]*/y;

class Parser {
  #at = 0;

  constructor(private readonly text: string) {}

  /** The one value that the text holds; only spaces may follow it. */
  document(): HeaderValue {
    const value = this.#value(0);
    if (/[^ ]/.test(this.text.slice(this.#at))) throw this.#wrong('nothing but spaces after the header');
    return value;
  }

  #value(depth: number): HeaderValue {
    if (depth > MAX_DEPTH) throw this.#wrong(`at most ${MAX_DEPTH} levels`);
    const next = this.text[this.#at];
    if (next === '{') return this.#object(depth);
    if (next === '[') return this.#array(depth);
    return next === '"' ? this.#string() : this.#number();
  }

  #object(depth: number): ReadonlyMap<string, HeaderValue> {
    const members = new Map<string, HeaderValue>();
    this.#list('}', () => {
      const name = this.#string();
      if (members.has(name)) throw this.#wrong(`the name ${quote(name)} only once`);
      this.#skipSpace();
      this.#expect(':');
      this.#skipSpace();
      members.set(name, this.#value(depth + 1));
    });
    return members;
  }

  #array(depth: number): readonly HeaderValue[] {
    const items: HeaderValue[] = [];
    this.#list(']', () => items.push(this.#value(depth + 1)));
    return items;
  }

  /** What stands between an opening bracket and `close`, with commas between. */
  #list(close: '}' | ']', item: () => void): void {
    this.#at += 1;
    this.#skipSpace();
    if (this.text[this.#at] === close) {
      this.#at += 1;
      return;
    }
    for (;;) {
      item();
      this.#skipSpace();
      if (this.text[this.#at] !== ',') break;
      this.#at += 1;
      this.#skipSpace();
    }
    this.#expect(close);
  }

  #string(): string {
    const begin = this.#at;
    this.#expect('"');
    for (let next = this.text[this.#at]; next !== '"'; next = this.text[this.#at]) {
      if (next === undefined) throw this.#wrong('the end of a string');
      this.#at += next === '\\' ? 2 : 1;
    }
    this.#at += 1;
    try {
      const value = JSON.parse(this.text.slice(begin, this.#at)) as string;
      if (!LONE_SURROGATE.test(value)) return value;
    } catch {
      // an escape that does not exist, or a control character: refused below
    }
    throw this.#wrong('a string of valid characters and escapes');
  }

  #number(): number {
    const value = Number(this.#match(WHOLE_NUMBER, 'a whole number, a string, an array or an object'));
    if (Number.isSafeInteger(value)) return value;
    throw this.#wrong('a whole number below 2^53');
  }

  #match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw this.#wrong(what);
    this.#at += found.length;
    return found;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.text)?.[0].length ?? 0;
  }

  #expect(character: string): void {
    if (this.text[this.#at] !== character) throw this.#wrong(`'${character}'`);
    this.#at += 1;
  }

  #wrong(expected: string): HeaderSyntaxError {
    return new HeaderSyntaxError(`expected ${expected} at character ${this.#at}`);
  }
}

/** Reads a header. Throws HeaderSyntaxError. */
export function parseHeader(text: string): HeaderValue {
  return new Parser(text).document();
}

/** Text of a file as an error shows it: on one line, and not all of a long one. */
export function quote(text: string): string {
  if (/^[\w.-]{1,60}$/.test(text)) return text;
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
