// SPDX-License-Identifier: Apache-2.0
// The rules of the house as tests: both ladders, no cycles, small files, one licence line, no dependencies in the core.
// Each failure names the file and the rule it breaks.
import { basename, dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { allFiles, importsOf, includesOf, textOf } from './helpers/source-tree.js';

const files = allFiles();
const under = (folder: string, ...endings: string[]) =>
  files.filter((path) => path.startsWith(folder) && endings.some((ending) => path.endsWith(ending)));
const lib = under('lib/', '.ts');
const native = under('native/', '.cc', '.h').filter((path) => !path.startsWith('native/test/'));

/** Fails with one line for each breach. */
function expectNone(breaches: readonly string[]): void {
  expect(breaches, `\n${breaches.join('\n')}\n`).toEqual([]);
}

describe('the ladder of lib/', () => {
  // A rung may import from any rung below it. Folders of one rung do not know each other.
  const rungs = [
    ['errors.ts'],
    ['native'],
    ['autograd'],
    ['tensor'],
    ['ops'],
    ['nn'],
    ['io'],
    ['models', 'data', 'optim', 'metrics'],
    ['viz'],
    ['train'],
    ['search', 'report'],
    ['cli'],
  ];
  const rungOf = (path: string) => {
    const place = path.split('/')[1];
    return { place, height: rungs.findIndex((places) => places.includes(place)) };
  };
  const inner = lib.filter((path) => path !== 'lib/index.ts');

  test('has a rung for every file', () => {
    expectNone(
      inner.filter((path) => rungOf(path).height < 0).map((path) => `${path}: its folder is on no rung`),
    );
  });

  test('is climbed downwards only', () => {
    const breaches = inner.flatMap((path) => {
      const from = rungOf(path);
      return importsOf(path)
        .filter(({ target }) => target.startsWith('lib/'))
        .filter(({ target, isType }) => {
          const to = rungOf(target);
          if (to.place === from.place || to.height < from.height) return false;
          return !(isType && from.place === 'autograd' && to.place === 'tensor'); // nodes name tensors
        })
        .map(
          ({ target }) => `${path} imports ${target}: ${from.place} may not import ${rungOf(target).place}`,
        );
    });
    expectNone(breaches);
  });

  test('knows viz in cli, report and train only', () => {
    const breaches = inner
      .filter((path) => !['viz', 'cli', 'report', 'train'].includes(rungOf(path).place))
      .filter((path) => importsOf(path).some(({ target }) => target.startsWith('lib/viz/')))
      .map((path) => `${path} imports viz: only cli, report and train may`);
    expectNone(breaches);
  });

  test('reaches C++ through lib/native alone', () => {
    const breaches = inner
      .filter((path) => !path.startsWith('lib/native/') && /dlopen|receptive\.node/.test(textOf(path)))
      .map((path) => `${path}: only lib/native loads native code`);
    expectNone(breaches);
    const addon = inner.filter((path) => !path.startsWith('lib/native/'));
    const direct = addon.filter((path) =>
      importsOf(path).some(({ target, isType }) => !isType && target === 'lib/native/addon.ts'),
    );
    expectNone(
      direct.map((path) => `${path} imports lib/native/addon.ts: bindings.ts is the way to the addon`),
    );
  });

  test('imports only files that exist, with the ending .js', () => {
    const breaches = lib.flatMap((path) =>
      importsOf(path)
        .filter(({ target }) => target.startsWith('lib/') && !files.includes(target))
        .map(({ target }) => `${path} imports ${target}, which is not there`),
    );
    expectNone(breaches);
  });

  test('has no cycles', () => {
    const edges = new Map(
      lib.map((path) => [
        path,
        importsOf(path).filter(({ target, isType }) => !isType && target.startsWith('lib/')),
      ]),
    );
    const done = new Set<string>();
    const breaches: string[] = [];
    const visit = (path: string, trail: readonly string[]) => {
      const start = trail.indexOf(path);
      if (start >= 0) breaches.push(`${[...trail.slice(start), path].join(' → ')}: imports form a circle`);
      if (start >= 0 || done.has(path)) return;
      for (const { target } of edges.get(path) ?? []) visit(target, [...trail, path]);
      done.add(path);
    };
    for (const path of lib) visit(path, []);
    expectNone(breaches);
  });
});

describe('the core', () => {
  /** Everything that `import 'receptive'` loads. */
  const core = new Set<string>();
  const visit = (path: string) => {
    if (core.has(path)) return;
    core.add(path);
    for (const { target, isType } of importsOf(path)) if (!isType && target.startsWith('lib/')) visit(target);
  };
  visit('lib/index.ts');

  test('is reached from lib/index.ts', () => expect(core.size).toBeGreaterThan(40));

  test('imports nothing but Node itself', () => {
    const breaches = [...core].flatMap((path) =>
      importsOf(path)
        .filter(({ target, isType }) => !isType && !target.startsWith('lib/') && !target.startsWith('node:'))
        // sharp is optional, and loaded when the first picture is read.
        .filter(({ target }) => !(target === 'sharp' && path === 'lib/data/sharp.ts'))
        .map(({ target }) => `${path} imports ${target}: the core has no dependencies`),
    );
    expectNone(breaches);
  });

  test('loads sharp only when it is asked for', () => {
    expect(textOf('lib/data/sharp.ts')).not.toMatch(/^import\s.*'sharp'/m);
  });

  test('holds neither the command line nor the drawings', () => {
    const breaches = [...core].filter((path) => /^lib\/(cli|report|viz)\//.test(path));
    expectNone(breaches.map((path) => `${path} is imported by lib/index.ts: it belongs to the command line`));
  });
});

describe('the ladder of native/', () => {
  // What the files of a folder may include, besides their own folder and the C++ library.
  const allowed: Record<string, readonly RegExp[]> = {
    'native/addon.cc': [/^binding\//],
    'native/binding': [/^(plan|kernels\/select\.h|runtime)/],
    'native/plan': [/^(ops|reference|kernels\/select\.h|runtime)/],
    'native/ops': [/^(kernels\/[a-z0-9_]+\.h|runtime\/)/],
    'native/reference': [/^(ops\/[a-z0-9_]+\.h|kernels\/[a-z0-9_]+\.h|runtime\/)/],
    'native/kernels': [/^(kernels\/[a-z0-9_]+\.h|runtime\/cpu_features\.h)/],
    'native/runtime': [],
  };
  const isKernel = (path: string) => /^native\/kernels\/[a-z0-9]+\//.test(path);
  const quoted = (path: string) =>
    includesOf(path)
      .filter((name) => name.startsWith('"'))
      .map((name) => name.slice(1, -1));

  test('is climbed downwards only', () => {
    const breaches = native
      .filter((path) => !isKernel(path))
      .flatMap((path) => {
        const rules = allowed[path] ?? allowed[dirname(path)];
        if (rules === undefined) return [`${path}: its folder is on no rung`];
        const own = path.split('/').length > 2 ? dirname(path).slice('native/'.length) : 'none';
        return quoted(path)
          .filter((name) => dirname(name) !== own && !rules.some((rule) => rule.test(name)))
          .map((name) => `${path} includes ${name}: ${dirname(path)} may not`);
      });
    expectNone(breaches);
  });

  test('ends in kernels that include contracts, the generic kernels and their own vec.h', () => {
    const breaches = native.filter(isKernel).flatMap((path) => {
      const isa = path.split('/')[2];
      const own = isa === 'generic' ? /^kernels\/generic\// : new RegExp(`^kernels/(generic|${isa})/`);
      return quoted(path)
        .filter((name) => !own.test(name) && !/^kernels\/[a-z0-9_]+\.h$/.test(name))
        .map((name) => `${path} includes ${name}: a kernel file may not`);
    });
    expectNone(breaches);
  });

  test('keeps templates of the C++ library out of files with flags of their own', () => {
    // Their instantiations could be merged into code that runs on every processor.
    const plain = new Set(['<cstdint>', '<cstddef>', '<math.h>', '<string.h>', '<stdint.h>', '<stddef.h>']);
    const headers = native.filter((path) => /^native\/kernels\/[a-z0-9_]+\.h$/.test(path));
    const breaches = [...native.filter(isKernel), ...headers.filter((path) => basename(path) !== 'select.h')]
      .flatMap((path) => includesOf(path).map((name) => ({ path, name })))
      .filter(({ name }) => name.startsWith('<') && !plain.has(name))
      .filter(({ path, name }) => !(name === '<immintrin.h>' || name === '<arm_neon.h>') || !isKernel(path))
      .map(({ path, name }) => `${path} includes ${name}: a kernel file may not`);
    expectNone(breaches);
  });

  test('includes napi.h in binding/ and addon.cc, intrinsics in kernels/<isa>, and nowhere else', () => {
    const breaches = native.flatMap((path) => {
      const isBinding = path.startsWith('native/binding/') || path === 'native/addon.cc';
      const isIsa = isKernel(path) && !path.startsWith('native/kernels/generic/');
      return includesOf(path)
        .filter(
          (name) =>
            (/node_api|napi\.h/.test(name) && !isBinding) ||
            (/immintrin|arm_neon|x86intrin/.test(name) && !isIsa) ||
            (/xmmintrin/.test(name) && path !== 'native/runtime/denormals.h'), // the control register
        )
        .map((name) => `${path} includes ${name}: it has its folder`);
    });
    expectNone(breaches);
  });

  test('has no cycles of headers', () => {
    const breaches: string[] = [];
    const done = new Set<string>();
    const visit = (path: string, trail: readonly string[]) => {
      if (trail.includes(path)) breaches.push(`${[...trail, path].join(' → ')}: includes form a circle`);
      if (trail.includes(path) || done.has(path) || !files.includes(path)) return;
      for (const name of quoted(path)) visit(`native/${name}`, [...trail, path]);
      done.add(path);
    };
    for (const path of native) visit(path, []);
    expectNone(breaches);
  });
});

describe('every source', () => {
  const sources = files.filter(
    (path) => /\.(ts|mts|cts|js|mjs|cjs|cc|h|py)$/.test(path) && !path.startsWith('test/golden/'),
  );

  test('is found', () => expect(sources.length).toBeGreaterThan(200));

  test('has at most 400 lines', () => {
    const breaches = sources
      .map((path) => ({ path, lines: textOf(path).trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 400)
      .map(({ path, lines }) => `${path} has ${lines} lines: 400 is the most`);
    expectNone(breaches);
  });

  test('opens with the licence', () => {
    const breaches = [...sources, ...under('test/golden/', '.py')].filter((path) => {
      const [first, second] = textOf(path).split('\n');
      return !/^(\/\/|#) SPDX-License-Identifier: Apache-2\.0$/.test(first.startsWith('#!') ? second : first);
    });
    expectNone(breaches.map((path) => `${path}: the SPDX line is not its first`));
  });

  test('leaves nothing to be done', () => {
    const word = new RegExp(
      `\\b(${['TO', 'FIX', 'HA', 'XX'].map((half, i) => half + ['DO', 'ME', 'CK', 'X'][i]).join('|')})\\b`,
    );
    const breaches = sources.flatMap((path) =>
      textOf(path)
        .split('\n')
        .flatMap((line, i) => (word.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
    );
    expectNone(breaches);
  });
});

test('no flag lets the compiler change arithmetic, or denormals in the whole process', () => {
  const text = `${textOf('native/sources.json')} ${textOf('binding.gyp')} ${textOf('CMakeLists.txt')}`;
  for (const flag of ['-ffast-math', '-Ofast', '-funsafe-math-optimizations', '-fopenmp']) {
    expect(text.includes(flag), `${flag} in native/sources.json`).toBe(false);
  }
  expect(textOf('native/sources.json')).toContain('-ffp-contract=off');
});
