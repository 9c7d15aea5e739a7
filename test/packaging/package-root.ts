// SPDX-License-Identifier: Apache-2.0
// Where the package starts, for tests that look at the package as a whole.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
