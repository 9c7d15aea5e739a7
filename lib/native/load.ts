// SPDX-License-Identifier: Apache-2.0
// Finds and loads the native binary; where there is none, the error says how to get one.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail } from '../errors.js';
import type { Addon } from './addon.js';

/** `linux-x64`, or `linux-x64-musl` where the C library is musl: the folder name of a prebuilt binary. */
function platformName(): string {
  const name = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return name;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined ? `${name}-musl` : name;
}

/** Where a binary may lie, the most specific first. lib/native and dist/native are equally deep. */
function candidates(): (() => string)[] {
  const asked = process.env.RECEPTIVE_BINARY;
  if (asked !== undefined && asked !== '') return [() => asked];
  const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  // Each is named when it is its turn: asking for the platform's name takes 10 ms and more.
  return [() => at('build/Release/receptive.node'), () => at(`prebuilds/${platformName()}/receptive.node`)];
}

function missing(reason: string, cause?: unknown) {
  return fail('ERR_NATIVE_MISSING', {
    op: 'receptive',
    expected: `a native binary for ${platformName()}, Node ${process.versions.node}`,
    received: reason,
    hint: 'in a clone of the repository run `npm run build:native`; else reinstall the package for this platform',
    cause,
  });
}

/** Loads the addon. Throws ERR_NATIVE_MISSING if there is none that fits, ERR_ARGUMENT for a wrong RECEPTIVE_ISA. */
export function loadAddon(): Addon {
  const places = candidates();
  const path = places.find((place) => existsSync(place()))?.();
  if (path === undefined) throw missing(`no file at ${places.map((place) => place()).join(' or ')}`);
  let addon: Addon;
  try {
    // dlopen, since require would run a file of another kind as JavaScript.
    const module = { exports: {} };
    process.dlopen(module, resolve(path));
    addon = module.exports as Addon;
  } catch (error) {
    throw missing(`${path}, which does not load: ${error instanceof Error ? error.message : error}`, error);
  }
  if (typeof addon.info !== 'function') throw missing(`${path}, which is not this library's`);
  const { refusedIsa, supportedIsas } = addon.info();
  if (refusedIsa !== '') {
    throw fail('ERR_ARGUMENT', {
      op: 'RECEPTIVE_ISA',
      expected: `one of ${supportedIsas.join(', ')} on this processor`,
      received: refusedIsa,
      hint: 'unset the variable to let the library choose the best',
    });
  }
  return addon;
}
