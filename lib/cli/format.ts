// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them, in a terminal as in a report; and text of files.
export { bytes, count, duration, percent, plural, short } from '../viz/format.js';

/** Text on one line. Names of files, above all in archives, may hold what moves a terminal's cursor or colours it. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/\p{Cc}/gu, '?');
}
