// SPDX-License-Identifier: Apache-2.0
// native/sources.json is the one list of native sources and flags: it names every source there is, and both
// builds compile exactly these files with exactly these flags.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from './package-root.js';

interface Group {
  readonly arch: readonly string[] | null;
  readonly files: readonly string[];
  readonly flags: readonly string[];
}

const require = createRequire(import.meta.url);
const { groups } = require('../../scripts/sources.cjs') as { groups: Record<string, Group> };
const built = Object.entries(groups).filter(([, { arch }]) => arch?.includes(process.arch) ?? true);

/** Sources on disk, without the C++ tests, which are not part of the addon. */
function sourcesOnDisk(): string[] {
  return fs
    .readdirSync(path.join(root, 'native'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.cc') && !file.startsWith(`test${path.sep}`))
    .map((file) => `native/${file.split(path.sep).join('/')}`)
    .sort();
}

/** What decides about code: language, optimisation, machine, warnings and the macros of the list. */
function codeFlags(flags: readonly string[], listed: readonly string[]): string[] {
  const macros = new Set(listed.filter((flag) => flag.startsWith('-D')));
  return flags.filter((flag) => /^-(std|O|f|m(?!64$)|W)/.test(flag) || macros.has(flag)).sort();
}

const unique = (flags: readonly string[]): string[] => [...new Set(flags)].sort();

describe('native/sources.json', () => {
  test('lists every source below native/ once', () => {
    const listed = Object.values(groups).flatMap((group) => group.files);
    expect([...listed].sort()).toEqual(sourcesOnDisk());
  });

  test('never allows arithmetic that depends on the compiler', () => {
    for (const [name, { flags }] of Object.entries(groups)) {
      expect(flags, name).toContain('-ffp-contract=off');
      expect(flags.join(' '), name).not.toMatch(/-ffast-math|-Ofast|-funsafe-math|-march=native/);
    }
  });

  test('gives instructions beyond the baseline to the ISA groups only', () => {
    for (const name of ['binding', 'core', 'isa/scalar']) {
      expect(groups[name]?.flags.filter((flag) => /^-m/.test(flag))).toEqual([]);
    }
  });

  test('answers for one group on the command line', () => {
    const ask = (...args: string[]) =>
      spawnSync(process.execPath, ['scripts/sources.cjs', ...args], { cwd: root, encoding: 'utf8' });
    expect(ask('core').stdout.trim().split(' ')).toEqual(groups.core?.files);
    expect(ask('isa/avx2', 'flags').stdout.trim().split(' ')).toEqual(groups['isa/avx2']?.flags);
    expect(ask('nonsense').status).not.toBe(0);
  });
});

describe('node-gyp', () => {
  // The generated makefiles hold what the compiler is given.
  const listOf = (text: string, variable: string): string[] =>
    (new RegExp(`^${variable} := ((?:.*\\\\\n)*.*)$`, 'm').exec(text)?.[1] ?? '')
      .split(/\\?\s+/)
      .filter(Boolean);

  for (const [name, group] of built) {
    const target = name === 'binding' ? 'receptive' : name.replace('/', '_');
    test(`compiles ${name} with the listed files and flags`, () => {
      const makefile = fs.readFileSync(path.join(root, 'build', `${target}.target.mk`), 'utf8');
      const objects = listOf(makefile, 'OBJS').map((file) => file.replace(/^.*?\/native\//, 'native/'));
      expect(objects.map((file) => file.replace(/\.o$/, '.cc')).sort()).toEqual([...group.files].sort());
      const flags = [...listOf(makefile, 'CFLAGS_Release'), ...listOf(makefile, 'CFLAGS_CC_Release')];
      expect(codeFlags(unique(flags), group.flags)).toEqual(codeFlags(group.flags, group.flags));
    });
  }
});
