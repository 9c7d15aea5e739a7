// SPDX-License-Identifier: Apache-2.0
// Tests import lib/ directly (`../../lib/ops/conv2d.js` resolves to the .ts file) and the native binary that
// lib/native/load.ts finds. Forks, not threads: a crash in native code then ends one file and not the run.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/helpers/patterns.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/helpers/gradient-reporter.ts'],
  },
});
