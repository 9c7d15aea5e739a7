// SPDX-License-Identifier: Apache-2.0
// Where no Node headers are installed, those of the npm package node-api-headers are enough: a small addon
// compiles against them alone, with no network, and loads.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { root } from './package-root.js';

const require = createRequire(import.meta.url);
const project = fs.mkdtempSync(path.join(os.tmpdir(), 'receptive-headers-'));
afterAll(() => {
  vi.unstubAllEnvs();
  fs.rmSync(project, { recursive: true, force: true });
});

const bindingGyp = { targets: [{ target_name: 'probe', sources: ['probe.cc'] }] };
const probe = `
#include <node_api.h>
NAPI_MODULE_INIT() {
  napi_value answer;
  napi_create_int32(env, NAPI_VERSION, &answer);
  napi_set_named_property(env, exports, "napiVersion", answer);
  return exports;
}
`;

test('an addon compiles against the headers of the npm package', { timeout: 120_000 }, async () => {
  vi.stubEnv('RECEPTIVE_NODE_HEADERS', 'npm');
  const url = pathToFileURL(path.join(root, 'scripts', 'toolchain.mjs')).href;
  const { nodeHeaders } = (await import(url)) as { nodeHeaders(): { nodedir: string; args: string[] } };
  const { nodedir, args } = nodeHeaders();
  expect(nodedir.startsWith(path.join(root, 'node_modules'))).toBe(true);

  fs.writeFileSync(path.join(project, 'package.json'), '{"name":"probe","version":"1.0.0"}');
  fs.writeFileSync(path.join(project, 'binding.gyp'), JSON.stringify(bindingGyp));
  fs.writeFileSync(path.join(project, 'probe.cc'), probe);
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
  const command = [nodeGyp, 'configure', 'build', `--nodedir=${nodedir}`, ...args];
  const { status, stderr } = spawnSync(process.execPath, command, { cwd: project, encoding: 'utf8' });
  expect(status, stderr).toBe(0);

  const addon = require(path.join(project, 'build', 'Release', 'probe.node')) as { napiVersion: number };
  expect(addon.napiVersion).toBeGreaterThanOrEqual(8);
});
