// SPDX-License-Identifier: Apache-2.0
// Flags of `receptive train` that begin with the weights of another training.
import type { Command } from 'commander';
import { fail } from '../errors.js';
import { readMetadata } from '../io/metadata.js';
import { loadWeights } from '../io/weights.js';
import { headOf } from '../nn/head.js';
import type { Module } from '../nn/module.js';
import type { CachedFeatures, FeatureReport } from '../train/frozen-features.js';
import { bytes, count, duration, percent, plural } from './format.js';
import type { Output } from './output.js';

/** The options as program.ts reads them. */
export interface TransferFlags {
  readonly from?: string;
  readonly freeze?: boolean;
}

/** Adds them to a command. */
export function addTransferOptions(command: Command): Command {
  return command
    .option('--from <file>', 'begin with the weights of a saved model, as far as they fit')
    .option(
      '--freeze',
      'train the last layer and what was not loaded; features of the others are computed once',
    );
}

/** The flags with the network of the file that the training begins with, where none is named. */
export async function withModelOf<Flags extends TransferFlags & { readonly model?: string }>(
  flags: Flags,
): Promise<Flags> {
  if (flags.from === undefined || flags.model !== undefined) return flags;
  const { model } = await readMetadata(flags.from);
  return model === undefined ? flags : { ...flags, model };
}

/** Loads the weights, says what became of them, and freezes what is not to learn. */
export async function beginWith(
  { from, freeze }: TransferFlags,
  model: Module,
  output: Output,
): Promise<void> {
  if (from === undefined) {
    if (freeze !== true) return;
    const expected = 'a trained network, --from FILE, whose layers are worth keeping';
    throw fail('ERR_ARGUMENT', { op: '--freeze', expected, received: 'none' });
  }
  const { report } = await loadWeights(model, from, { strict: false });
  const { matched, missing, mismatched } = report;
  const fresh = [...missing, ...mismatched];
  const rest = fresh.length === 0 ? '' : `; new: ${fresh.join(', ')}`;
  output.progress(`${plural(matched.length, 'tensor')} of ${from}${rest}`);
  if (freeze !== true) return;
  model.freeze(true, { statistics: true });
  const loaded = new Set(matched);
  const head = headOf(model);
  for (const [path, layer] of model.namedModules()) {
    const own = [...layer.stateDict().keys()].map((name) => (path === '' ? name : `${path}.${name}`));
    const isNew = layer.modules().length === 1 && !own.every((name) => loaded.has(name));
    if (isNew || layer === head) layer.freeze(false);
  }
}

const REDRAW_INTERVAL = 100; // ms

/** What `fit` is given as onFeatures: on a terminal a line that counts. */
export function featuresLine(output: Output): (report: FeatureReport) => void {
  let shown = Number.NEGATIVE_INFINITY;
  return ({ images, of }) => {
    const now = performance.now();
    const isDone = images === of;
    if (output.isQuiet || !output.isTerminal || (now - shown < REDRAW_INTERVAL && !isDone)) return;
    shown = now;
    const text = `features of ${count(of)} images (${percent(images / of, 0)})`;
    output.stream.write(`\r${text}${isDone ? '\n' : ''}`);
  };
}

/** What became of the features of frozen layers, in words; nothing where no layer is frozen. */
export function featuresText(cached: CachedFeatures | undefined, notCached: string | undefined) {
  if (notCached !== undefined) return `features of frozen layers are computed in every step: ${notCached}`;
  if (cached === undefined) return undefined;
  const { layers, bytes: size, seconds } = cached;
  return `features of ${plural(layers, 'frozen layer')} computed once, in ${duration(seconds)}: ${bytes(size)}`;
}
