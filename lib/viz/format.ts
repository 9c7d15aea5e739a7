// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.

/** 61706 as `61,706`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A share as `98.76 %`. */
export function percent(share: number, digits = 2): string {
  return `${(100 * share).toFixed(digits)} %`;
}

/** Seconds as `0.4 s`, `12 s`, `3 min 05 s` or `2 h 07 min`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number) => String(value).padStart(2, '0');
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** A large number with its unit: 416520 as `416.5 k`. */
export function short(value: number): string {
  const units = ['', ' k', ' M', ' G', ' T'];
  let unit = 0;
  let scaled = value;
  while (scaled >= 999.95 && unit < units.length - 1) {
    scaled /= 1000;
    unit += 1;
  }
  return unit === 0 ? String(value) : `${scaled.toFixed(1)}${units[unit]}`;
}

/** `512 B`, `12.8 MB`. */
export function bytes(value: number): string {
  return value < 1000 ? `${value} B` : `${short(value)}B`;
}

/** `1 image`, `2 images`; `many` for nouns whose plural is another. */
export function plural(value: number, noun: string, many = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : many}`;
}
