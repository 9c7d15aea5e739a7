// SPDX-License-Identifier: Apache-2.0
// What tells whether a file was written to while it was read.
import type { BigIntStats } from 'node:fs';

/** Size, and the time of the last write. */
export type FileStamp = readonly [size: number, seconds: number, nanoseconds: number];

export function stampOf({ size, mtimeNs }: BigIntStats): FileStamp {
  return [Number(size), Number(mtimeNs / 1_000_000_000n), Number(mtimeNs % 1_000_000_000n)];
}

export function isSameStamp(a: FileStamp, b: FileStamp): boolean {
  return a.every((value, i) => value === b[i]);
}
