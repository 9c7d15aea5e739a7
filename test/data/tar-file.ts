// SPDX-License-Identifier: Apache-2.0
// Writes tar archives for the tests, right and wrong ones.
import { readdir, readFile } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** One entry; a type other than '0' may have no contents. */
export interface TarPart {
  readonly path: string;
  readonly bytes?: Uint8Array;
  readonly type?: string;
  readonly target?: string;
  /** The size that the header claims; default: the true one. */
  readonly claims?: number;
}

/** An archive in ustar's form; names of more than 100 bytes go into a record of GNU's. */
export function tarFile(parts: readonly TarPart[], end = true): Uint8Array {
  const blocks = parts.flatMap((part) => {
    const name = Buffer.from(part.path);
    const long = name.length > 100 ? entry('././@LongLink', Buffer.from(`${part.path}\0`), 'L') : [];
    return [...long, ...entry(part.path, part.bytes ?? new Uint8Array(), part.type ?? '0', part)];
  });
  return Buffer.concat(end ? [...blocks, new Uint8Array(1024)] : blocks);
}

/** The files below a folder, in the order of their names, as parts of an archive. */
export async function partsOf(folder: string): Promise<TarPart[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return Promise.all(
    paths.sort().map(async (path) => ({
      path: path.slice(folder.length + 1).replaceAll(sep, '/'),
      bytes: await readFile(path),
    })),
  );
}

/** A record of POSIX' extended headers. */
export function paxPart(records: Readonly<Record<string, string>>): TarPart {
  const lines = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(rest) + 1;
    while (String(length).length + Buffer.byteLength(rest) !== length) length++;
    return `${length}${rest}`;
  });
  return { path: 'pax', bytes: Buffer.from(lines.join('')), type: 'x' };
}

function entry(
  path: string,
  bytes: Uint8Array,
  type: string,
  { target = '', claims }: Partial<TarPart> = {},
): Uint8Array[] {
  const header = Buffer.alloc(512);
  header.write(path.slice(0, 100), 0, 100);
  header.write('0000644\0', 100);
  header.write((claims ?? bytes.length).toString(8).padStart(11, '0'), 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(target, 157);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, bytes, new Uint8Array((512 - (bytes.length % 512)) % 512)];
}
