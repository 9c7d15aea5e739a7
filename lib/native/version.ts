// SPDX-License-Identifier: Apache-2.0
// The version in package.json. lib/native and dist/native are equally deep.
import { createRequire } from 'node:module';

const manifest = createRequire(import.meta.url)('../../package.json') as { version: string };

export const version = manifest.version;
