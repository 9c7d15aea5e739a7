// SPDX-License-Identifier: Apache-2.0
// Where downloaded data sets are kept.

import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The cache folder: `RECEPTIVE_CACHE`, else `receptive` in `XDG_CACHE_HOME`, else `~/.cache/receptive`.
 * It need not exist.
 */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.RECEPTIVE_CACHE) return env.RECEPTIVE_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'receptive');
}
