// SPDX-License-Identifier: Apache-2.0
// How the binary is found, and what is said where it is not: each case in a process of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { childJson } from '../helpers/child.js';

const folder = mkdtempSync(join(tmpdir(), 'receptive-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly info?: { isa: string; threads: number; supportedIsas: string[] };
  readonly code?: string;
  readonly op?: string;
  readonly received?: string;
  readonly hint?: string;
  readonly again?: string;
}

/** Asks for the addon twice under the given variables; what the second time says belongs to `again`. */
function load(env: Record<string, string>): Outcome {
  return childJson(
    `import { nativeInfo } from '#dist/native/bindings.js';
     const attempt = () => {
       try { return { info: nativeInfo() }; }
       catch ({ code, op, received, hint }) { return { code, op, received, hint }; }
     };
     const first = attempt();
     console.log(JSON.stringify({ ...first, again: attempt().code }));`,
    { env },
  ) as Outcome;
}

describe('RECEPTIVE_BINARY', () => {
  test('does not matter to importing the library, which never fails', () => {
    const script = `console.log(typeof (await import('#dist/index.js')).conv2d === 'function');`;
    expect(childJson(script, { env: { RECEPTIVE_BINARY: join(folder, 'absent.node') } })).toBe(true);
  });

  test('that is no file says where it looked', () => {
    const outcome = load({ RECEPTIVE_BINARY: join(folder, 'absent.node') });
    expect(outcome).toMatchObject({ code: 'ERR_NATIVE_MISSING', again: 'ERR_NATIVE_MISSING' });
    expect(outcome.received).toContain(join(folder, 'absent.node'));
    expect(outcome.hint).toContain('npm run build:native');
  });

  const wrong: [string, string][] = [
    ['text.node', 'not a shared object'],
    ['empty.node', ''],
    ['script.js', 'globalThis.ran = true; process.exit(7);'],
    ['data.json', '{}'],
  ];
  test.each(wrong)('that is %s does not load, and does not run', (name, content) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    const outcome = load({ RECEPTIVE_BINARY: path });
    expect(outcome).toMatchObject({ code: 'ERR_NATIVE_MISSING' });
    expect(outcome.received).toContain(`${path}, which does not load`);
  });

  test('that is a folder does not load', () => {
    expect(load({ RECEPTIVE_BINARY: folder }).code).toBe('ERR_NATIVE_MISSING');
  });

  test('that is empty is as good as unset', () => {
    expect(load({ RECEPTIVE_BINARY: '' }).info).toBeDefined();
  });

  test('may be a relative path', () => {
    expect(load({ RECEPTIVE_BINARY: 'build/Release/receptive.node' }).info).toBeDefined();
  });
});

describe('RECEPTIVE_ISA', () => {
  test('chooses each instruction set of the machine', () => {
    const { info } = load({});
    expect(info?.supportedIsas.at(-1)).toBe('scalar');
    expect(info?.isa).toBe(info?.supportedIsas[0]);
    for (const isa of info?.supportedIsas ?? []) {
      expect(load({ RECEPTIVE_ISA: isa }).info?.isa).toBe(isa);
    }
  });

  test.each(['unknown', 'AVX2', 'avx512 ', 'sse;rm'])(
    'of %j is an error that names the known ones',
    (isa) => {
      const outcome = load({ RECEPTIVE_ISA: isa });
      expect(outcome).toMatchObject({ code: 'ERR_ARGUMENT', op: 'RECEPTIVE_ISA', received: isa });
      expect(outcome).toMatchObject({ hint: expect.stringContaining('unset'), again: 'ERR_ARGUMENT' });
    },
  );
});

describe('RECEPTIVE_THREADS', () => {
  test.each([
    ['1', 1],
    ['3', 3],
    ['256', 256],
    ['257', 256],
    ['99999999999999999999', 256],
  ])('of %s gives %i', (threads, expected) => {
    expect(load({ RECEPTIVE_THREADS: threads }).info?.threads).toBe(expected);
  });

  test('that is no count is as good as unset', () => {
    const usual = load({}).info?.threads;
    for (const threads of ['', '0', '-4', 'many']) {
      expect(load({ RECEPTIVE_THREADS: threads }).info?.threads, threads).toBe(usual);
    }
  });
});

/** The C library's version, where it is glibc and no newer than the one that releases are built on. */
const glibc = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header
  .glibcVersionRuntime;
const minorOf = (version: string) => Number(version.split('.')[1]);

test.runIf(glibc !== undefined && minorOf(glibc) <= 36)(
  'the binary asks for no glibc newer than 2.34',
  () => {
    const binary = readFileSync(new URL('../../build/Release/receptive.node', import.meta.url), 'latin1');
    const versions = [...binary.matchAll(/GLIBC_(2\.\d+)/g)].map(([, version]) => minorOf(version));
    expect(versions.length).toBeGreaterThan(0);
    expect(Math.max(...versions)).toBeLessThanOrEqual(34);
  },
);
