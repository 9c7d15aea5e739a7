// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them, in a terminal as in a report.
export { bytes, count, duration, percent, plural, short } from '../viz/format.js';
