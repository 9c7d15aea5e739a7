// SPDX-License-Identifier: Apache-2.0
// What `npm pack` would publish: compiled JavaScript, types, the binary and its sources; nothing that makes
// npm compile or run something when the package is installed.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { root } from './package-root.js';

const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
let files: string[] = [];

beforeAll(() => {
  const { stdout, stderr } = spawnSync('npm', ['pack', '--dry-run', '--json'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(stdout, stderr).toMatch(/^\s*\[/);
  files = JSON.parse(stdout)[0].files.map((file: { path: string }) => file.path);
}, 300_000);

describe('npm pack', () => {
  test('holds the library, its types, the command and the binary of this platform', () => {
    expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js']));
    expect(files).toEqual(
      expect.arrayContaining(['LICENSE', 'README.md', 'ARCHITECTURE.md', 'package.json']),
    );
    const binaries = files.filter((file) => file.endsWith('.node'));
    const here = new RegExp(`^prebuilds/${process.platform}-${process.arch}(-musl)?/receptive\\.node$`);
    expect(binaries.filter((file) => here.test(file))).toHaveLength(1);
    expect(binaries.every((file) => file.startsWith('prebuilds/'))).toBe(true);
  });

  test('has no build file that npm would act on and no install script', () => {
    expect(files.filter((file) => /\.gypi?$|CMakeLists\.txt$/.test(file))).toEqual([]);
    expect(manifest.gypfile).toBe(false);
    for (const script of ['preinstall', 'install', 'postinstall', 'prepare']) {
      expect(manifest.scripts).not.toHaveProperty(script);
    }
  });

  test('leaves out tests, caches and TypeScript sources', () => {
    const folders = new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]));
    expect([...folders].sort()).toEqual(['dist', 'prebuilds']);
    expect(files.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))).toEqual([]);
  });
});

describe('package.json', () => {
  test('points at files that are published', () => {
    const targets = [manifest.main, manifest.types, ...Object.values(manifest.bin as Record<string, string>)];
    const published = targets.map((target: string) => target.replace(/^\.\//, ''));
    expect(files).toEqual(expect.arrayContaining(published));
  });

  test('pins every dependency to one version', () => {
    const pinned = { ...manifest.dependencies, ...manifest.devDependencies } as Record<string, string>;
    for (const [name, version] of Object.entries(pinned)) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test('has a lock file without addresses and without packages that need an install script', () => {
    const lock = JSON.parse(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8'));
    const entries = Object.entries(
      lock.packages as Record<string, { resolved?: string; hasInstallScript?: boolean }>,
    );
    expect(entries.filter(([, { resolved }]) => resolved !== undefined)).toEqual([]);
    expect(entries.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([]);
  });
});
