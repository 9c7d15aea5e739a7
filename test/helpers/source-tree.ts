// SPDX-License-Identifier: Apache-2.0
// The repository's sources and what they import, for tests of the architecture.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const GENERATED = new Set([
  'node_modules',
  'dist',
  'build',
  'build-cmake',
  'prebuilds',
  'coverage',
  'runs',
  '.git',
]);

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (GENERATED.has(entry.name)) return [];
    return entry.isDirectory() ? walk(path) : [path];
  });
}

/** Every file of the repository: what git tracks or would; in an unpacked archive, what lies there. Paths from the root. */
export function allFiles(): string[] {
  if (!existsSync(join(root, '.git'))) return walk('.').map(normalize);
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0');
  return listed.filter((path) => path !== '' && existsSync(join(root, path)));
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** One import of a TypeScript file: a path from the root, or the name of a package. */
export interface Import {
  readonly target: string;
  readonly isType: boolean;
}

const NAMES = String.raw`(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?|\w+)`;
const IMPORT = new RegExp(
  String.raw`^(?:import|export)\s+(type\s+)?(${NAMES}(?:\s*,\s*${NAMES})?)\s+from\s+'([^']+)'`,
  'gm',
);
const SIDE_EFFECT = /^import\s+'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'/g;

function resolveImport(path: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier;
  return relative(root, join(root, dirname(path), specifier)).replace(/\.js$/, '.ts');
}

/** What a TypeScript file imports. An import is of types only if the keyword stands before the braces or before each name. */
export function importsOf(path: string): Import[] {
  const text = textOf(path);
  const fixed = [...text.matchAll(IMPORT)].map(([, keyword, names, specifier]) => {
    const listed = /^\{([\s\S]*)\}$/.exec(names.trim())?.[1].split(',') ?? [];
    const named = listed.map((name) => name.trim()).filter((name) => name !== '');
    const isType =
      keyword !== undefined || (named.length > 0 && named.every((name) => name.startsWith('type ')));
    return { target: resolveImport(path, specifier), isType };
  });
  const bare = [...text.matchAll(DYNAMIC), ...text.matchAll(SIDE_EFFECT)].map(([, specifier]) => ({
    target: resolveImport(path, specifier),
    isType: false,
  }));
  return [...fixed, ...bare];
}

/** The #includes of a C++ file, with their brackets or quotes: `<vector>`, `"ops/gemm.h"`. */
export function includesOf(path: string): string[] {
  return [...textOf(path).matchAll(/^\s*#\s*include\s+([<"][^>"]+[>"])/gm)].map(([, name]) => name);
}
