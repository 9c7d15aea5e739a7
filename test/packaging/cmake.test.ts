// SPDX-License-Identifier: Apache-2.0
// The second build, with cmake-js: it compiles what the list says and its binary is interchangeable with
// node-gyp's. The build is kept in build-cmake/ and repeated only when a source changed.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from './package-root.js';

interface Group {
  readonly arch: readonly string[] | null;
  readonly files: readonly string[];
  readonly flags: readonly string[];
}

const require = createRequire(import.meta.url);
const { groups } = require('../../scripts/sources.cjs') as { groups: Record<string, Group> };
const hasCmake = spawnSync('cmake', ['--version']).status === 0;
const BUILD_TIMEOUT = 300_000;

/** Runs node in a process of its own, so that two addons never share one. */
function node(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
}

/** Name and kind of each export of an addon. */
function exportsOf(binary: string): Record<string, string> {
  const program =
    'const a = require(process.argv[1]); console.log(JSON.stringify(Object.entries(a).map(([k, v]) => [k, typeof v])))';
  const { stdout, stderr } = node('-e', program, path.join(root, binary));
  expect(stderr).toBe('');
  return Object.fromEntries(JSON.parse(stdout) as [string, string][]);
}

// The check of every commit needs it; a user who runs the tests may do without.
if (!hasCmake && process.env.CI) throw new Error('cmake is not installed: apt-get install cmake');

describe.skipIf(!hasCmake)(`cmake-js${hasCmake ? '' : ' (skipped: cmake is not installed)'}`, () => {
  beforeAll(() => {
    const { status, stderr } = node('scripts/build-native.mjs', '--cmake');
    expect(status, stderr).toBe(0);
  }, BUILD_TIMEOUT);

  test('compiles the listed files with the listed flags', () => {
    const database = fs.readFileSync(path.join(root, 'build-cmake', 'compile_commands.json'), 'utf8');
    const commands = JSON.parse(database) as { file: string; command: string }[];
    const compiled = new Map(
      commands.map(({ file, command }) => [path.relative(root, file), command.split(/ +/)]),
    );
    const here = Object.values(groups).filter(({ arch }) => arch?.includes(process.arch) ?? true);
    expect([...compiled.keys()].sort()).toEqual(here.flatMap(({ files }) => files).sort());

    // CMake's own words are the compiler, folders, files and two macros of its build; the rest must be the list.
    const cmakesOwn = /^(-I.*|-DBUILDING_NODE_EXTENSION|-Dreceptive_EXPORTS|-o|-c|[^-].*)$/;
    for (const { files, flags } of here) {
      for (const file of files) {
        const given = compiled.get(file)?.filter((word) => !cmakesOwn.test(word));
        expect([...new Set(given)].sort(), file).toEqual([...flags].sort());
      }
    }
  });

  test('makes a binary with the exports of the node-gyp binary', () => {
    const ours = exportsOf('build-cmake/Release/receptive.node');
    expect(Object.keys(ours).length).toBeGreaterThan(0);
    expect(ours).toEqual(exportsOf('build/Release/receptive.node'));
  });

  test(
    'passes every kernel case',
    () => {
      // Files of kernel cases are those that call the addon through the helper, which takes the binary from the variable.
      const folder = path.join(root, 'test', 'native');
      const cases = fs
        .readdirSync(folder)
        .filter((file) => fs.readFileSync(path.join(folder, file), 'utf8').includes("'../helpers/native.js'"))
        .map((file) => path.posix.join('test', 'native', file));
      const { stdout } = spawnSync(
        process.execPath,
        ['node_modules/vitest/vitest.mjs', 'run', '--reporter=json', ...cases],
        {
          cwd: root,
          encoding: 'utf8',
          maxBuffer: 64 << 20,
          env: {
            ...process.env,
            RECEPTIVE_BINARY: path.join(root, 'build-cmake', 'Release', 'receptive.node'),
          },
        },
      );
      const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
        numPassedTests: number;
        testResults: { assertionResults: { status: string; fullName: string }[] }[];
      };
      const results = report.testResults.flatMap(({ assertionResults }) => assertionResults);
      expect(results.filter(({ status }) => status === 'failed').map(({ fullName }) => fullName)).toEqual([]);
      expect(report.numPassedTests).toBeGreaterThan(100);
    },
    BUILD_TIMEOUT,
  );
});
